/* SPDX-License-Identifier: MIT
 * Fuzzes the JSON reader: any bytes are a text or are not; what is taken decodes within its room,
 * and numbers survive being written and read again. */
#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"
#include "base/json_reader.h"
#include "fuzz/fuzz.h"

static void check_string(struct cnni_json_string string)
{
    char *decoded = malloc(string.size + 1);
    size_t size = cnni_json_decode(decoded, string);
    fuzz_check(size <= string.size);
    decoded[size] = '\0';
    bool zero = memchr(decoded, '\0', size) != NULL;
    fuzz_check(cnni_json_equal(string, decoded) == !zero);
    free(decoded);
}

static void check_real(struct cnni_json json)
{
    char text[CNNI_DECIMAL_SIZE];
    double value, back;
    if (!cnni_json_real(&json, &value))
        return;
    cnni_decimal_write(text, value);
    fuzz_check(strlen(text) < CNNI_DECIMAL_SIZE);
    fuzz_check(cnni_decimal_read(&back, text, strlen(text)));
    fuzz_check(memcmp(&back, &value, sizeof value) == 0);
}

/* Pulls the value at hand as each thing it might be, on copies, then passes it. */
static void check_value(struct cnni_json *json)
{
    struct cnni_json copy = *json;
    struct cnni_json_string string;
    int64_t whole;
    if (cnni_json_string(&copy, &string))
        check_string(string);
    copy = *json;
    cnni_json_integer(&copy, &whole);
    check_real(*json);
    cnni_json_skip(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct cnni_json json;
    struct cnni_json_string key;
    cnni_json_start(&json, (const char *)bytes, size);
    struct cnni_json whole = json, array = json;
    bool good = cnni_json_skip(&whole) && cnni_json_finish(&whole);
    fuzz_check(good == (whole.error == NULL) && whole.at <= size);
    check_real(json);
    if (cnni_json_array(&array)) {
        while (cnni_json_next_element(&array))
            check_value(&array);
        fuzz_check(!good || cnni_json_finish(&array));
    } else if (cnni_json_object(&json)) {
        while (cnni_json_next_member(&json, &key)) {
            check_string(key);
            check_value(&json);
        }
        fuzz_check(!good || cnni_json_finish(&json));
    }
    return 0;
}
