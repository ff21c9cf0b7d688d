/*
 * base_json - commas, line ends and escapes of a JSON text.
 */
#include "base/json.h"

#include "unit.h"

#include <stdlib.h>

/* What a writer has written so far; freed by the caller. */
static char *text_of(void (*write)(struct json *j))
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    struct json j = json_start(out);

    write(&j);
    fclose(out);
    return text;
}

static void expect(void (*write)(struct json *j), const char *wanted)
{
    char *got = text_of(write);

    if (strcmp(got, wanted) != 0)
        printf("\n    wanted: %s\n    got:    %s\n", wanted, got);
    CU_ASSERT_STRING_EQUAL(got, wanted);
    free(got);
}

static void write_table(struct json *j)
{
    json_open_object(j);
    json_key(j, "rows");
    json_open_array(j);
    for (unsigned i = 0; i < 2; i++) {
        json_open_object(j);
        json_key(j, "n");
        json_number(j, i);
        json_key(j, "odd");
        json_bool(j, i == 1);
        json_key(j, "parts");
        json_open_array(j);
        json_null(j);
        json_text(j, STR("x"));
        json_close(j);
        json_close(j);
    }
    json_close(j);
    json_member(j, "name", NULL);
    json_close(j);
}

static void a_row_is_a_line(void)
{
    expect(write_table, "{\n"
                        "  \"rows\": [\n"
                        "    {\"n\": 0, \"odd\": false, \"parts\": [null, \"x\"]},\n"
                        "    {\"n\": 1, \"odd\": true, \"parts\": [null, \"x\"]}\n"
                        "  ],\n"
                        "  \"name\": null\n"
                        "}\n");
}

static void write_empty(struct json *j)
{
    json_open_object(j);
    json_key(j, "none");
    json_open_array(j);
    json_close(j);
    json_close(j);
}

static void what_is_empty_stays_on_its_line(void)
{
    expect(write_empty, "{\n  \"none\": []\n}\n");
}

static void write_marks(struct json *j)
{
    json_text(j, STR("a\"b\\c\n\xff \xc3\xa9"));
}

static void texts_are_escaped(void)
{
    expect(write_marks, "\"a\\\"b\\\\c\\u000a\\u00ff \xc3\xa9\"");
}

/* The writer works in pieces, whose ends must not fall into a character. */
static void write_long(struct json *j)
{
    char text[301];

    text[0] = 'x';
    for (size_t i = 1; i < sizeof(text); i += 3)
        memcpy(text + i, "\xe2\x82\xac", 3);
    json_text(j, (struct str){text, sizeof(text)});
}

static void characters_are_not_cut(void)
{
    char *got = text_of(write_long);

    CU_ASSERT_EQUAL(strlen(got), 303);
    CU_ASSERT_PTR_NULL(strchr(got, '\\'));
    free(got);
}

UNIT_SUITE(base_json)
{
    UNIT_TEST(a_row_is_a_line);
    UNIT_TEST(what_is_empty_stays_on_its_line);
    UNIT_TEST(texts_are_escaped);
    UNIT_TEST(characters_are_not_cut);
}
