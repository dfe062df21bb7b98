/* SPDX-License-Identifier: MIT
 * Reads an event file of cats-dogs train --tensorboard as TensorBoard does, with the library's own
 * checksum (table-driven, tested by test_crc32c.c) against the example's:
 *
 *     read_events FILE    prints "version TEXT", then a line "STEP TAG VALUE" per number
 *
 * Exit status 1, after a message, for anything that is not as it should be. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"

struct bytes {
    const uint8_t *at, *end;
};

static void require(bool fine, const char *what)
{
    if (fine)
        return;
    fprintf(stderr, "read_events: %s\n", what);
    exit(EXIT_FAILURE);
}

static const uint8_t *take(struct bytes *bytes, uint64_t count)
{
    const uint8_t *start = bytes->at;
    require((uint64_t)(bytes->end - bytes->at) >= count, "cut short");
    bytes->at += count;
    return start;
}

static uint64_t take_whole(struct bytes *bytes, int32_t count)
{
    const uint8_t *start = take(bytes, (uint64_t)count);
    uint64_t value = 0;
    for (int32_t i = count - 1; i >= 0; i--)
        value = value << 8 | start[i];
    return value;
}

static uint64_t take_varint(struct bytes *bytes)
{
    uint64_t value = 0;
    for (int32_t shift = 0; shift < 64; shift += 7) {
        const uint8_t byte = *take(bytes, 1);
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return value;
    }
    require(false, "a number of more than 64 bits");
    return 0;
}

static struct bytes take_counted(struct bytes *bytes)
{
    const uint64_t count = take_varint(bytes);
    const uint8_t *start = take(bytes, count);
    return (struct bytes){start, start + count};
}

static double take_double(struct bytes *bytes)
{
    double value;
    memcpy(&value, take(bytes, sizeof value), sizeof value);
    return value;
}

static float take_float(struct bytes *bytes)
{
    float value;
    memcpy(&value, take(bytes, sizeof value), sizeof value);
    return value;
}

/* Field and wire type of what comes next. */
static bool next_is(struct bytes *bytes, uint64_t field, uint64_t wire)
{
    struct bytes ahead = *bytes;
    if (ahead.at == ahead.end || take_varint(&ahead) != (field << 3 | wire))
        return false;
    *bytes = ahead;
    return true;
}

static void print_value(uint64_t step, struct bytes value)
{
    require(next_is(&value, 1, 2), "a value without a tag");
    const struct bytes tag = take_counted(&value);
    require(next_is(&value, 2, 5), "a value without a number");
    printf("%" PRIu64 " %.*s %.9g\n", step, (int)(tag.end - tag.at), (const char *)tag.at,
           (double)take_float(&value));
    require(value.at == value.end, "a value with something behind it");
}

static void print_version(struct bytes *event)
{
    require(next_is(event, 3, 2), "no version in the first event");
    const struct bytes version = take_counted(event);
    printf("version %.*s\n", (int)(version.end - version.at), (const char *)version.at);
}

static void print_session(uint64_t step, struct bytes session)
{
    require(next_is(&session, 1, 0), "a session without a state");
    printf("%" PRIu64 " session %" PRIu64 "\n", step, take_varint(&session));
    require(session.at == session.end, "a session with something else than a state");
}

static void print_summary(uint64_t step, struct bytes summary)
{
    while (next_is(&summary, 1, 2))
        print_value(step, take_counted(&summary));
    require(summary.at == summary.end, "a summary with something else than values");
}

static void print_step(struct bytes *event)
{
    require(next_is(event, 2, 0), "an event without a step");
    const uint64_t step = take_varint(event);
    if (next_is(event, 7, 2)) {
        print_session(step, take_counted(event));
        return;
    }
    require(next_is(event, 5, 2), "an event without a summary");
    print_summary(step, take_counted(event));
}

static void print_event(struct bytes event, bool first)
{
    require(next_is(&event, 1, 1) && take_double(&event) > 1.7e9, "an event without its time");
    if (first)
        print_version(&event);
    else
        print_step(&event);
    require(event.at == event.end, "an event with something behind it");
}

static uint32_t masked_crc(const uint8_t *start, uint64_t size)
{
    const uint32_t crc = cnni_crc32c(0, start, (size_t)size);
    return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

static void print_record(struct bytes *file, bool first)
{
    const uint8_t *start = file->at;
    const uint64_t size = take_whole(file, 8);
    require(take_whole(file, 4) == masked_crc(start, 8), "a wrong checksum of a length");
    const uint8_t *event = take(file, size);
    require(take_whole(file, 4) == masked_crc(event, size), "a wrong checksum of an event");
    print_event((struct bytes){event, event + size}, first);
}

int main(int argc, char **argv)
{
    static uint8_t content[1 << 20];
    FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
    require(file != NULL, "wanted an event file");
    const size_t size = fread(content, 1, sizeof content, file);
    require(size < sizeof content, "a file too large for this");
    fclose(file);
    struct bytes rest = {content, content + size};
    for (bool first = true; rest.at < rest.end; first = false)
        print_record(&rest, first);
    return EXIT_SUCCESS;
}
