/* SPDX-License-Identifier: MIT
 * Runs a fuzz target once for each file named on the command line: the seeds, in every test run, or
 * an input that a fuzzer has found. */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz/fuzz.h"

static int replay(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        fprintf(stderr, "cannot read %s\n", path);
        return EXIT_FAILURE;
    }
    size_t size = (size_t)ftell(file);
    uint8_t *bytes = malloc(size > 0 ? size : 1);
    rewind(file);
    size_t count = bytes == NULL ? 0 : fread(bytes, 1, size, file);
    fclose(file);
    printf("%s\n", path);
    if (count == size)
        LLVMFuzzerTestOneInput(bytes, size);
    free(bytes);
    return count == size ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int count, char **paths)
{
    int result = count > 1 ? EXIT_SUCCESS : EXIT_FAILURE;
    for (int i = 1; i < count; i++)
        if (replay(paths[i]) != EXIT_SUCCESS)
            result = EXIT_FAILURE;
    return result;
}
