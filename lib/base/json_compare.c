/* SPDX-License-Identifier: MIT
 * Comparing goes down into `ours`, whose depth is known to be small; `theirs` has to follow. */
#include "base/json_compare.h"

#include <stdio.h>
#include <string.h>

/* A pair of texts on the way. */
struct pair {
    struct cnni_json *ours, *theirs;
    struct cnni_json_difference *difference;
};

static bool compare(const struct pair *pair);

/* Passes the value that comes next. */
static struct cnni_json_string take(struct cnni_json *json)
{
    struct cnni_json_string value = {json->text + json->at, 0};
    if (!cnni_json_skip(json))
        return (struct cnni_json_string){NULL, 0};
    value.size = json->at - (size_t)(value.bytes - json->text);
    return value;
}

static bool compare_simple(const struct pair *pair)
{
    struct cnni_json_difference *difference = pair->difference;
    difference->ours = take(pair->ours);
    difference->theirs = take(pair->theirs);
    return difference->theirs.bytes != NULL && difference->ours.size == difference->theirs.size &&
           memcmp(difference->ours.bytes, difference->theirs.bytes, difference->ours.size) == 0;
}

/* Appends to the path; returns how long it was. */
static size_t go_to(const struct pair *pair, const char *name, size_t size, const char *dot)
{
    char *path = pair->difference->path;
    size_t length = strlen(path);
    snprintf(path + length, CNNI_JSON_PATH - length, "%s%.*s", dot, (int)size, name);
    return length;
}

/* One has a member or element, to which the path leads, that the other has not. */
static bool differ_by(const struct pair *pair, bool is_ours)
{
    const struct cnni_json_string none = {NULL, 0};
    pair->difference->ours = is_ours ? take(pair->ours) : none;
    pair->difference->theirs = is_ours ? none : take(pair->theirs);
    return false;
}

/* Compares what the path has just been led to, and leads it back. */
static bool compare_and_return(const struct pair *pair, size_t length)
{
    if (!compare(pair))
        return false;
    pair->difference->path[length] = '\0';
    return true;
}

static bool compare_objects(const struct pair *pair)
{
    struct cnni_json_string key, other;
    const char *dot = pair->difference->path[0] == '\0' ? "" : ".";
    cnni_json_object(pair->ours);
    cnni_json_object(pair->theirs);
    while (cnni_json_next_member(pair->ours, &key)) {
        size_t length = go_to(pair, key.bytes, key.size, dot);
        if (!cnni_json_next_member(pair->theirs, &other) || key.size != other.size ||
            memcmp(key.bytes, other.bytes, key.size) != 0)
            return differ_by(pair, true);
        if (!compare_and_return(pair, length))
            return false;
    }
    if (!cnni_json_next_member(pair->theirs, &other))
        return pair->theirs->error == NULL;
    go_to(pair, other.bytes, other.size, dot);
    return differ_by(pair, false);
}

static bool compare_arrays(const struct pair *pair)
{
    char index[24];
    cnni_json_array(pair->ours);
    cnni_json_array(pair->theirs);
    for (int64_t i = 0;; i++) {
        size_t size = (size_t)snprintf(index, sizeof index, "[%lld]", (long long)i);
        bool is_ours = cnni_json_next_element(pair->ours);
        bool is_theirs = cnni_json_next_element(pair->theirs);
        if (!is_ours && !is_theirs)
            return pair->theirs->error == NULL;
        size_t length = go_to(pair, index, size, "");
        if (!is_ours || !is_theirs)
            return differ_by(pair, is_ours);
        if (!compare_and_return(pair, length))
            return false;
    }
}

static bool compare(const struct pair *pair)
{
    char first = pair->ours->text[pair->ours->at];
    if (first != '{' && first != '[')
        return compare_simple(pair);
    /* Of another type: shown whole. */
    if (pair->theirs->at >= pair->theirs->size || pair->theirs->text[pair->theirs->at] != first)
        return compare_simple(pair);
    return first == '{' ? compare_objects(pair) : compare_arrays(pair);
}

bool cnni_json_compare(struct cnni_json *ours, struct cnni_json *theirs,
                       struct cnni_json_difference *difference)
{
    const struct pair pair = {ours, theirs, difference};
    difference->ours = difference->theirs = (struct cnni_json_string){NULL, 0};
    return compare(&pair);
}
