/*
 * config_text - print the generated configuration of a seed: config_text SEED
 */
#include "reg-tests/tools/config_text.h"

int main(int argc, char **argv)
{
    static struct config_text text;

    if (argc != 2) {
        fputs("usage: config_text SEED\n", stderr);
        return 2;
    }
    config_text_make(&text, strtoull(argv[1], NULL, 10));
    return fwrite(text.out, 1, text.n_out, stdout) != text.n_out;
}
