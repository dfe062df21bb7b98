/* SPDX-License-Identifier: MIT
 * A record: length (uint64), checksum of the length (uint32), the message, checksum of the message
 * (uint32), all little-endian.  The checksum is CRC-32C, turned and shifted ("masked"), so that one
 * can be taken of data that contain others.
 *
 * The messages, with their fields' numbers:
 *   Event       1 wall_time (double), 2 step (int64), 3 file_version (string),
 *               5 summary (Summary), 7 session_log (SessionLog)
 *   Summary     1 value (Value, repeated)
 *   Value       1 tag (string), 2 simple_value (float)
 *   SessionLog  1 status (enum; START is 1)
 * See tensorflow/core/util/event.proto, framework/summary.proto and lib/io/record_writer.h. */
#include "event_file.h"

#include <string.h>
#include <time.h>

/* ---- Bytes --------------------------------------------------------------------------------- */

/* A scalar takes its tag, 4 bytes of value and at most 6 of keys and lengths; an event 32 more. */
enum { MESSAGE_SIZE = 32 + EVENT_MOST_SCALARS * (EVENT_LONGEST_TAG + 16) };

struct message {
    unsigned char bytes[MESSAGE_SIZE];
    size_t size;
};

static void put_byte(struct message *message, unsigned value)
{
    if (message->size < MESSAGE_SIZE)
        message->bytes[message->size++] = (unsigned char)value;
}

static void put_little_endian(struct message *message, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        put_byte(message, (unsigned)(value >> (8 * i)) & 0xff);
}

static void put_bytes(struct message *message, const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        put_byte(message, ((const unsigned char *)bytes)[i]);
}

/* ---- Protocol Buffers ---------------------------------------------------------------------- */

/* How a field's value is written. */
enum wire { VARINT = 0, EIGHT_BYTES = 1, COUNTED_BYTES = 2, FOUR_BYTES = 5 };

/* Seven bits a byte, the lowest first; the eighth says that more follow. */
static void put_varint(struct message *message, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        put_byte(message, (unsigned)(value & 0x7f) | 0x80);
    put_byte(message, (unsigned)value);
}

static void put_key(struct message *message, unsigned field, enum wire wire)
{
    put_byte(message, field << 3 | (unsigned)wire);
}

static void put_counted(struct message *message, unsigned field, const void *bytes, size_t size)
{
    put_key(message, field, COUNTED_BYTES);
    put_varint(message, size);
    put_bytes(message, bytes, size);
}

static void put_whole(struct message *message, unsigned field, int64_t value)
{
    put_key(message, field, VARINT);
    put_varint(message, (uint64_t)value);
}

static void put_double(struct message *message, unsigned field, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    put_key(message, field, EIGHT_BYTES);
    put_little_endian(message, bits, 8);
}

static void put_float(struct message *message, unsigned field, float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    put_key(message, field, FOUR_BYTES);
    put_little_endian(message, bits, 4);
}

/* ---- Records ------------------------------------------------------------------------------- */

/* CRC-32C of Castagnoli: the polynomial 0x1EDC6F41 with its bits turned round. */
static uint32_t crc32c(const unsigned char *bytes, size_t size)
{
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0x82F63B78) : 0);
    }
    return ~crc;
}

static uint32_t masked_crc(const unsigned char *bytes, size_t size)
{
    const uint32_t crc = crc32c(bytes, size);

    return (crc >> 15 | crc << 17) + UINT32_C(0xA282EAD8);
}

static void write_record(struct log_file *log, const struct message *event)
{
    struct message frame = {.size = 0};

    if (log->file == NULL)
        return;
    put_little_endian(&frame, event->size, 8);
    put_little_endian(&frame, masked_crc(frame.bytes, frame.size), 4);
    fwrite(frame.bytes, 1, frame.size, log->file);
    fwrite(event->bytes, 1, event->size, log->file);
    frame.size = 0;
    put_little_endian(&frame, masked_crc(event->bytes, event->size), 4);
    fwrite(frame.bytes, 1, frame.size, log->file);
}

/* ---- Events -------------------------------------------------------------------------------- */

static struct message begin_event(void)
{
    struct message event = {.size = 0};
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    put_double(&event, 1, (double)now.tv_sec + (double)now.tv_nsec * 1e-9);
    return event;
}

void event_file_begin(struct log_file *log)
{
    static const char version[] = "brain.Event:2";
    struct message event = begin_event();

    put_counted(&event, 3, version, strlen(version));
    write_record(log, &event);
}

void event_file_restart(struct log_file *log, int64_t step)
{
    enum { SESSION_STARTS = 1 };
    struct message event = begin_event();
    struct message session = {.size = 0};

    put_whole(&session, 1, SESSION_STARTS);
    put_whole(&event, 2, step);
    put_counted(&event, 7, session.bytes, session.size);
    write_record(log, &event);
}

void event_file_scalars(struct log_file *log, int64_t step, const struct scalar *scalars, int count)
{
    struct message event = begin_event();
    struct message summary = {.size = 0};

    for (int i = 0; i < count; i++) {
        struct message value = {.size = 0};
        put_counted(&value, 1, scalars[i].tag, strlen(scalars[i].tag));
        put_float(&value, 2, (float)scalars[i].value);
        put_counted(&summary, 1, value.bytes, value.size);
    }
    put_whole(&event, 2, step);
    put_counted(&event, 5, summary.bytes, summary.size);
    write_record(log, &event);
}
