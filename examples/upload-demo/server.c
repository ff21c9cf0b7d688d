/*
 * upload-server - an application that takes uploads, for trying a proxy in front of it.
 *
 *     server --listen 127.0.0.1:3000 [--unix PATH] [--directory DIR]
 *
 *     PUT, POST /upload/NAME   200 and {"bytes": N, "sha256": "..."}, computed as the bytes arrive
 *     GET /health              200
 *     GET /small               128 bytes
 *     GET /bytes/N             N bytes
 *
 * Nothing is stored without --directory. With it a body is written beside its name and renamed when
 * it is complete: a server that is killed in between leaves no half upload that looks whole, so a
 * proxy may send the same upload again.
 *
 * It may be killed with SIGKILL at any time; it comes back on the same port at once. One line on
 * stderr tells of each upload that finished or broke off.
 */
#include "http_conn.h"

#include <ctype.h>
#include <fcntl.h>
#include <getopt.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <time.h>

#define SHA256_BYTES 32

static const char *directory; /* where uploads are stored; NULL: they are not */

/* One upload on its way in. */
struct upload {
    const char *name;
    EVP_MD_CTX *digest;
    int file; /* -1: not stored */
    char path[4096];
    char temporary[4096 + 32];
};

static const char *last_segment(const char *target)
{
    const char *slash = strrchr(target, '/');

    return slash == NULL ? target : slash + 1;
}

/* A name that stays in its directory and is no hidden file. */
static bool name_is_plain(const char *name)
{
    for (const char *at = name; *at != '\0'; at++)
        if (!isalnum((unsigned char)*at) && strchr("._-", *at) == NULL)
            return false;
    return name[0] != '\0' && name[0] != '.' && strlen(name) < 128;
}

/* Returns false when the file cannot be made. */
static bool upload_begin(struct upload *u, const struct http_request *r)
{
    u->name = last_segment(r->target);
    u->file = -1;
    u->digest = EVP_MD_CTX_new();
    if (u->digest == NULL || EVP_DigestInit_ex(u->digest, EVP_sha256(), NULL) != 1)
        return false;
    if (directory == NULL)
        return true;
    snprintf(u->path, sizeof(u->path), "%s/%s", directory, u->name);
    snprintf(u->temporary, sizeof(u->temporary), "%s.XXXXXX", u->path);
    u->file = mkostemp(u->temporary, O_CLOEXEC);
    return u->file >= 0;
}

/* Take a piece of the body. Returns false when it cannot be stored. */
static bool upload_take(struct upload *u, const char *data, size_t n)
{
    if (EVP_DigestUpdate(u->digest, data, n) != 1)
        return false;
    while (u->file >= 0 && n > 0) {
        ssize_t written = write(u->file, data, n);

        if (written < 0 && errno != EINTR)
            return false;
        if (written > 0) {
            data += written;
            n -= (size_t)written;
        }
    }
    return true;
}

/* The end, good or bad. Only a complete upload gets its name. */
static bool upload_end(struct upload *u, bool is_complete)
{
    bool is_stored = is_complete;

    EVP_MD_CTX_free(u->digest);
    if (u->file < 0)
        return is_stored;
    if (close(u->file) < 0 || (is_complete && rename(u->temporary, u->path) < 0))
        is_stored = false;
    if (!is_stored)
        unlink(u->temporary);
    return is_stored;
}

static void hex_digest(EVP_MD_CTX *digest, char hex[2 * SHA256_BYTES + 1])
{
    unsigned char bytes[EVP_MAX_MD_SIZE];

    EVP_DigestFinal_ex(digest, bytes, NULL);
    for (size_t i = 0; i < SHA256_BYTES; i++)
        snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
}

static void report(const struct upload *u, const struct http_request *r, const char *end)
{
    char now[32];
    time_t seconds = time(NULL);
    struct tm local;

    strftime(now, sizeof(now), "%H:%M:%S", localtime_r(&seconds, &local));
    fprintf(stderr, "%s %s: %s after %llu bytes\n", now, u->name, end,
            (unsigned long long)r->bytes);
}

/* Returns whether the connection can serve another request. */
static bool serve_upload(struct http_conn *c, struct http_request *r)
{
    char hex[2 * SHA256_BYTES + 1];
    char json[160];
    struct upload u;
    const char *data;
    ssize_t n = 0;
    bool is_taken = upload_begin(&u, r);

    while (is_taken && (n = http_read_body(c, r, &data)) > 0)
        is_taken = upload_take(&u, data, (size_t)n);
    if (is_taken && n == 0)
        hex_digest(u.digest, hex);
    if (!upload_end(&u, is_taken && n == 0)) {
        report(&u, r, n < 0 ? "broken off by the client" : "could not be stored");
        r->keep_alive = false;
        if (n >= 0)
            http_answer_text(c, r, 500, "the upload cannot be stored\n");
        return false;
    }
    report(&u, r, "complete");
    snprintf(json, sizeof(json), "{\"bytes\": %llu, \"sha256\": \"%s\"}\n",
             (unsigned long long)r->bytes, hex);
    return http_answer(c, r, 200, "application/json", json, strlen(json)) && r->keep_alive;
}

static bool serve_get(struct http_conn *c, struct http_request *r)
{
    static const char bytes[] = "/bytes/";
    bool was_sent;

    if (!http_skip_body(c, r))
        return false;
    if (strcmp(r->target, "/health") == 0)
        was_sent = http_answer_text(c, r, 200, "healthy\n");
    else if (strcmp(r->target, "/small") == 0)
        was_sent = http_answer_bytes(c, r, 128);
    else if (strncmp(r->target, bytes, sizeof(bytes) - 1) == 0)
        was_sent = http_answer_bytes(c, r, strtoull(last_segment(r->target), NULL, 10));
    else
        was_sent = http_answer_text(c, r, 404, "not here\n");
    return was_sent && r->keep_alive;
}

static bool serve_request(struct http_conn *c, struct http_request *r)
{
    if (strcmp(r->method, "GET") == 0 || strcmp(r->method, "HEAD") == 0)
        return serve_get(c, r);
    if (strcmp(r->method, "PUT") == 0 || strcmp(r->method, "POST") == 0) {
        if (name_is_plain(last_segment(r->target)))
            return serve_upload(c, r);
        return http_skip_body(c, r) && http_answer_text(c, r, 400, "not a plain name\n") &&
               r->keep_alive;
    }
    return http_skip_body(c, r) && http_answer_text(c, r, 405, "PUT, POST or GET\n") &&
           r->keep_alive;
}

static void serve(struct http_conn *c)
{
    struct http_request *r = malloc(sizeof(*r));

    while (r != NULL && http_read_head(c, r) && serve_request(c, r))
        continue;
    free(r);
}

static _Noreturn void usage(int status)
{
    fputs("usage: server --listen ADDRESS:PORT [--unix PATH] [--directory DIR]\n",
          status == 0 ? stdout : stderr);
    exit(status);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"listen",    required_argument, NULL, 'l'},
        {"unix",      required_argument, NULL, 'u'},
        {"directory", required_argument, NULL, 'd'},
        {"help",      no_argument,       NULL, 'h'},
        {NULL,        0,                 NULL, 0  },
    };
    static struct http_listener listeners[2];
    pthread_t threads[2];
    size_t n_listeners = 0;
    int option;

    while ((option = getopt_long(argc, argv, "l:u:d:h", options, NULL)) != -1) {
        if (option == 'd')
            directory = optarg;
        else if (option == 'h')
            usage(0);
        else if ((option != 'l' && option != 'u') || n_listeners == 2)
            usage(2);
        else
            listeners[n_listeners++] = (struct http_listener){
                .fd = option == 'l' ? http_listen_tcp(optarg) : http_listen_unix(optarg),
                .serve = serve,
            };
    }
    if (n_listeners == 0 || optind < argc)
        usage(2);
    if (directory != NULL && mkdir(directory, 0700) < 0 && errno != EEXIST)
        http_die(directory);
    for (size_t i = 0; i < n_listeners; i++)
        if (pthread_create(&threads[i], NULL, http_serve, &listeners[i]) != 0)
            http_die("pthread_create");
    for (size_t i = 0; i < n_listeners; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
