/* SPDX-License-Identifier: MIT
 * The container of model files, safetensors: eight bytes with the length of a JSON header, the
 * header, the values of the tensors, all little-endian.  What we put into it:
 *
 *     {"__metadata__":{"cnn.header_crc32c":"0123abcd","cnn":"..."},
 *      "conv2d1.weight":{"dtype":"F32","shape":[32,3,3,3],"data_offsets":[0,3456]}, ...}
 *
 * "cnn" is a JSON text of our own, which model_save.c and model_load.c know about; checkpoints have
 * another behind it, "cnn.checkpoint", and more tensors.  The checksum is that of the header with
 * zeros in its own place.  The values stand in the header's order, without gaps.  Files of other
 * programs, which only hold weights, have tensors of other types, in any order, also without any
 * elements or dimensions, and metadata that says nothing to us. */
#ifndef CNNI_SAFETENSORS_H
#define CNNI_SAFETENSORS_H

#include "base/json_writer.h"
#include "model/stored_tensor.h"

/* Checksums are written as eight hexadecimal digits. */
enum { CNNI_CRC_TEXT = 9 };
const char *cnni_crc_text(char text[CNNI_CRC_TEXT], uint32_t crc);

/* ---- Reading ---- */

/* Who reads what, for the text of a failure. */
struct cnni_source {
    cnn_context *context;
    const char *function;
    const char *name; /* of the file, as it is shown */
};

/* Sets the text to "cnn_model_load: "a.cnn": " and the formatted rest, and returns `status`. */
__attribute__((format(printf, 3, 4))) cnn_status
cnni_source_fail(const struct cnni_source *source, cnn_status status, const char *format, ...);

struct cnni_safetensors {
    struct cnni_source source;
    bool plain;        /* of any program, weights alone */
    char *texts;       /* memory of all texts below */
    const char *graph; /* the text "cnn"; NULL for a plain one */
    size_t graph_size;
    const char *checkpoint; /* the text "cnn.checkpoint"; NULL: there is none */
    size_t checkpoint_size;
    struct cnni_stored_tensor *tensors;
    int32_t count;
};

/* Opens a model file, or with `_plain` any safetensors file, of `size` bytes, borrowed until it is
 * closed, after checking all of it but the values.  After a failure there is nothing to close. */
cnn_status cnni_safetensors_open(struct cnni_safetensors *file, const struct cnni_source *source,
                                 const void *bytes, size_t size);
cnn_status cnni_safetensors_open_plain(struct cnni_safetensors *file,
                                       const struct cnni_source *source, const void *bytes,
                                       size_t size);
void cnni_safetensors_close(struct cnni_safetensors *file);

/* ---- Writing ---- */

/* Writes the length and the header in three steps: the metadata; each tensor, at `offset` within
 * the values; the checksum, and spaces up to a multiple of eight bytes.  With `_plain`, weights for
 * other programs, without checksum.  The writer remembers failures. */
void cnni_safetensors_begin(struct cnni_json_writer *header, const struct cnni_json_writer *graph,
                            const struct cnni_json_writer *checkpoint /* or NULL */);
void cnni_safetensors_begin_plain(struct cnni_json_writer *header);
void cnni_safetensors_add(struct cnni_json_writer *header, const char *name,
                          const struct cnni_shape *shape, size_t offset, size_t size);
void cnni_safetensors_finish(struct cnni_json_writer *header);
void cnni_safetensors_finish_plain(struct cnni_json_writer *header);

#endif
