/* SPDX-License-Identifier: MIT
 * The container of model files, writing its header. */
#include "base/context_internal.h"
#include "base/crc32c.h"
#include "model/safetensors.h"

#include <string.h>

enum { LENGTH_BYTES = 8, CRC_DIGITS = CNNI_CRC_TEXT - 1 };

const char *cnni_crc_text(char text[CNNI_CRC_TEXT], uint32_t crc)
{
    for (int32_t i = 0; i < CRC_DIGITS; i++)
        text[i] = "0123456789abcdef"[crc >> (28 - 4 * i) & 15];
    text[CRC_DIGITS] = '\0';
    return text;
}

/* Where the checksum stands in the header. */
enum { CRC_PLACE = sizeof "{\"__metadata__\":{\"cnn.header_crc32c\":\"" - 1 };

static void open_metadata(struct cnni_json_writer *header)
{
    static const char no_length[LENGTH_BYTES];
    cnni_json_put_raw(header, no_length, LENGTH_BYTES);
    cnni_json_open(header, '{');
    cnni_json_put_key(header, "__metadata__");
    cnni_json_open(header, '{');
}

void cnni_safetensors_begin(struct cnni_json_writer *header, const struct cnni_json_writer *graph,
                            const struct cnni_json_writer *checkpoint)
{
    open_metadata(header);
    cnni_json_put_key(header, "cnn.header_crc32c");
    cnni_json_put_text(header, "00000000", CRC_DIGITS);
    cnni_json_put_key(header, "cnn");
    cnni_json_put_text(header, graph->bytes, graph->size);
    if (checkpoint != NULL) {
        cnni_json_put_key(header, "cnn.checkpoint");
        cnni_json_put_text(header, checkpoint->bytes, checkpoint->size);
    }
    cnni_json_close(header, '}');
}

void cnni_safetensors_begin_plain(struct cnni_json_writer *header)
{
    open_metadata(header);
    cnni_json_put_key(header, "format"); /* PyTorch's, for programs that insist */
    cnni_json_put_text(header, "pt", 2);
    cnni_json_close(header, '}');
}

void cnni_safetensors_add(struct cnni_json_writer *header, const char *name,
                          const struct cnni_shape *shape, size_t offset, size_t size)
{
    cnni_json_put_key(header, name);
    cnni_json_open(header, '{');
    cnni_json_put_key(header, "dtype");
    cnni_json_put_text(header, "F32", 3);
    cnni_json_put_key(header, "shape");
    cnni_json_open(header, '[');
    for (int32_t i = 0; i < shape->rank; i++)
        cnni_json_put_integer(header, shape->dim[i]);
    cnni_json_close(header, ']');
    cnni_json_put_key(header, "data_offsets");
    cnni_json_open(header, '[');
    cnni_json_put_integer(header, (int64_t)offset);
    cnni_json_put_integer(header, (int64_t)(offset + size));
    cnni_json_close(header, ']');
    cnni_json_close(header, '}');
}

void cnni_safetensors_finish_plain(struct cnni_json_writer *header)
{
    cnni_json_close(header, '}');
    while (header->status == CNN_OK && header->size % 8 != 0)
        cnni_json_put_raw(header, " ", 1);
    if (header->status == CNN_OK) /* reading has the same limit */
        header->status = cnni_check_limit(header->context, CNN_LIMIT_HEADER_BYTES,
                                          (int64_t)(header->size - LENGTH_BYTES), header->function,
                                          "the header's size");
    if (header->status == CNN_OK)
        for (int32_t i = 0; i < LENGTH_BYTES; i++)
            header->bytes[i] = (char)((uint64_t)(header->size - LENGTH_BYTES) >> (8 * i));
}

void cnni_safetensors_finish(struct cnni_json_writer *header)
{
    char crc[CNNI_CRC_TEXT];
    cnni_safetensors_finish_plain(header);
    if (header->status != CNN_OK)
        return;
    char *text = header->bytes + LENGTH_BYTES;
    cnni_crc_text(crc, cnni_crc32c(0, text, header->size - LENGTH_BYTES));
    memcpy(text + CRC_PLACE, crc, CRC_DIGITS);
}
