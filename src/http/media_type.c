/*
 * media_type - the media type of a file, by the end of its name.
 */
#include "http/media_type.h"

#include <stdlib.h>

/* The longest suffix of the table: what is longer is not looked for. */
#define SUFFIX_MAX 11

struct row {
    const char *suffix; /* lower case; the rows are in its order */
    const char *type;
};

/* clang-format off */
static const struct row rows[] = {
    {"7z",          "application/x-7z-compressed"},
    {"aac",         "audio/aac"},
    {"apk",         "application/vnd.android.package-archive"},
    {"apng",        "image/apng"},
    {"atom",        "application/atom+xml"},
    {"avif",        "image/avif"},
    {"bmp",         "image/bmp"},
    {"bz2",         "application/x-bzip2"},
    {"css",         "text/css; charset=utf-8"},
    {"csv",         "text/csv; charset=utf-8"},
    {"deb",         "application/vnd.debian.binary-package"},
    {"doc",         "application/msword"},
    {"docx",        "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    {"eot",         "application/vnd.ms-fontobject"},
    {"epub",        "application/epub+zip"},
    {"flac",        "audio/flac"},
    {"gif",         "image/gif"},
    {"gz",          "application/gzip"},
    {"htm",         "text/html; charset=utf-8"},
    {"html",        "text/html; charset=utf-8"},
    {"ico",         "image/vnd.microsoft.icon"},
    {"ics",         "text/calendar; charset=utf-8"},
    {"iso",         "application/octet-stream"},
    {"jar",         "application/java-archive"},
    {"jpeg",        "image/jpeg"},
    {"jpg",         "image/jpeg"},
    {"js",          "text/javascript; charset=utf-8"},
    {"json",        "application/json"},
    {"jsonld",      "application/ld+json"},
    {"jxl",         "image/jxl"},
    {"m3u8",        "application/vnd.apple.mpegurl"},
    {"m4a",         "audio/mp4"},
    {"m4s",         "video/iso.segment"},
    {"m4v",         "video/mp4"},
    {"map",         "application/json"},
    {"md",          "text/markdown; charset=utf-8"},
    {"mid",         "audio/midi"},
    {"mjs",         "text/javascript; charset=utf-8"},
    {"mov",         "video/quicktime"},
    {"mp3",         "audio/mpeg"},
    {"mp4",         "video/mp4"},
    {"mpd",         "application/dash+xml"},
    {"odp",         "application/vnd.oasis.opendocument.presentation"},
    {"ods",         "application/vnd.oasis.opendocument.spreadsheet"},
    {"odt",         "application/vnd.oasis.opendocument.text"},
    {"oga",         "audio/ogg"},
    {"ogg",         "audio/ogg"},
    {"ogv",         "video/ogg"},
    {"opus",        "audio/ogg"},
    {"otf",         "font/otf"},
    {"pdf",         "application/pdf"},
    {"png",         "image/png"},
    {"ppt",         "application/vnd.ms-powerpoint"},
    {"pptx",        "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
    {"rar",         "application/vnd.rar"},
    {"rss",         "application/rss+xml"},
    {"rtf",         "application/rtf"},
    {"svg",         "image/svg+xml"},
    {"tar",         "application/x-tar"},
    {"tif",         "image/tiff"},
    {"tiff",        "image/tiff"},
    {"ts",          "video/mp2t"},
    {"ttf",         "font/ttf"},
    {"txt",         "text/plain; charset=utf-8"},
    {"vtt",         "text/vtt; charset=utf-8"},
    {"wasm",        "application/wasm"},
    {"wav",         "audio/wav"},
    {"webm",        "video/webm"},
    {"webmanifest", "application/manifest+json"},
    {"webp",        "image/webp"},
    {"woff",        "font/woff"},
    {"woff2",       "font/woff2"},
    {"xhtml",       "application/xhtml+xml"},
    {"xls",         "application/vnd.ms-excel"},
    {"xlsx",        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    {"xml",         "application/xml"},
    {"xz",          "application/x-xz"},
    {"zip",         "application/zip"},
    {"zst",         "application/zstd"},
};
/* clang-format on */

static int compare(const void *suffix, const void *row)
{
    return strcmp(suffix, ((const struct row *)row)->suffix);
}

struct str media_type_of(struct str path)
{
    char suffix[SUFFIX_MAX + 1];
    const struct row *row;
    size_t n = 0;

    while (n < path.n && n <= SUFFIX_MAX && path.p[path.n - 1 - n] != '.')
        n++;
    if (n == path.n || n > SUFFIX_MAX)
        return STR("application/octet-stream");
    for (size_t i = 0; i < n; i++)
        suffix[i] = str_lower_char(path.p[path.n - n + i]);
    suffix[n] = '\0';
    row = bsearch(suffix, rows, sizeof(rows) / sizeof(rows[0]), sizeof(rows[0]), compare);
    return row == NULL ? STR("application/octet-stream") : str_of(row->type);
}
