/*
 * replay - runs a fuzz harness on the files of its corpus, without a fuzzer: replay DIRECTORY
 *
 * Each input that once found something is tried in every build. The name of a file is printed before
 * it is run, so that the last one is the one that ended the program. Closes with "N passed, N failed".
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_BYTES_MAX ((size_t)1 << 20)

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

/* The bytes at their exact length, so that a sanitizer sees a read behind them. */
static void run(const char *path)
{
    static unsigned char bytes[INPUT_BYTES_MAX];
    unsigned char *exact;
    FILE *f = fopen(path, "rb");
    size_t n;

    if (f == NULL) {
        perror(path);
        exit(2);
    }
    n = fread(bytes, 1, sizeof(bytes), f);
    fclose(f);
    exact = malloc(n > 0 ? n : 1);
    if (exact == NULL)
        exit(2);
    memcpy(exact, bytes, n);
    LLVMFuzzerTestOneInput(exact, n);
    free(exact);
}

int main(int argc, char **argv)
{
    struct dirent **names;
    unsigned n_run = 0;
    int n = argc == 2 ? scandir(argv[1], &names, NULL, alphasort) : -1;

    if (n < 0) {
        fputs("usage: replay DIRECTORY\n", stderr);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int i = 0; i < n; i++) {
        char path[4096];

        if (names[i]->d_name[0] != '.') {
            snprintf(path, sizeof(path), "%s/%s", argv[1], names[i]->d_name);
            puts(path);
            run(path);
            n_run++;
        }
        free(names[i]);
    }
    free(names);
    printf("%u passed, %u failed\n", n_run, n_run == 0);
    return n_run == 0;
}
