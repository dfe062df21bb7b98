/* SPDX-License-Identifier: MIT
 * Finds the pictures of a folder: the part, the class folders, the files in each.  Only names are
 * looked at; what is in the files is seen when a loader reads them.
 *
 * Folders come from strangers.  The path that the caller gives may go through symbolic links; what
 * is found below it may not, as a link in an unpacked archive can lead anywhere. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/context_internal.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "data/dataset_internal.h"

static const char function[] = "cnn_dataset_open";

/* The names that each part's folder may have; of several that are there, the first is taken. */
enum { PART_NAMES = 3 };
static const char *const part_names[][PART_NAMES] = {
    [CNN_TRAIN] = {"train", "training_set"},
    [CNN_TEST] = {"test", "test_set"},
    [CNN_VALIDATION] = {"val", "validation", "validation_set"},
};

/* Where the search has got to. */
struct place {
    cnn_context *context;
    size_t root, length; /* of the path: what the caller gave, and all */
    char path[PATH_MAX];
    char shown[CNNI_SHOW_SIZE]; /* the path for messages */
    struct cnni_names links;    /* to folders, in the one whose folders were listed last */
};

/* What list_folder() does with one name; CNN_OK goes on. */
typedef cnn_status entry_fn(struct cnni_names *names, struct place *place, DIR *folder,
                            const struct dirent *entry);

static cnn_status fail(const struct place *place, cnn_status status, const char *problem)
{
    return cnni_fail(place->context, status, "%s: \"%s\" %s", function, place->shown, problem);
}

static cnn_status fail_system(const struct place *place, const char *verb, int error)
{
    if (error == ENOTDIR)
        return fail(place, CNN_ERROR_IO, "is no folder, must be one");
    if (error == ELOOP && place->length > place->root)
        return fail(place, CNN_ERROR_IO, "is or lies behind a symbolic link, must be a folder");
    return cnni_file_fail(place->context, function, verb, place->path, error);
}

/* Goes from the folder at `length` bytes of the path into `name`; `length` 0 starts anew. */
static cnn_status go(struct place *place, size_t length, const char *name)
{
    size_t slash = length > 0 && place->path[length - 1] != '/';
    size_t size = strlen(name) + 1;
    if (length + slash + size > sizeof place->path)
        return cnni_file_fail(place->context, function, "open the folder", name, ENAMETOOLONG);
    if (slash)
        place->path[length] = '/';
    memcpy(place->path + length + slash, name, size);
    place->length = length + slash + size - 1;
    cnni_show_bytes(place->shown, sizeof place->shown, place->path, place->length);
    return CNN_OK;
}

/* ---- Reading one folder -------------------------------------------------------------------- */

static cnn_status read_entries(struct cnni_names *names, struct place *place, DIR *folder,
                               entry_fn *visit)
{
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(folder);
        if (entry == NULL)
            return errno == 0 ? CNN_OK : fail_system(place, "read the folder", errno);
        if (entry->d_name[0] != '.')
            CNNI_TRY(visit(names, place, folder, entry));
    }
}

/* Appends, sorted, what `visit` takes from the folder at `place`. */
static cnn_status list_folder(struct cnni_names *names, struct place *place, entry_fn *visit)
{
    int64_t first = names->count;
    int file = cnni_file_open(place->path, place->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0)
        return fail_system(place, "open the folder", errno);
    DIR *folder = fdopendir(file);
    if (folder == NULL) {
        int error = errno;
        close(file);
        return fail_system(place, "open the folder", error);
    }
    cnn_status status = read_entries(names, place, folder, visit);
    closedir(folder);
    cnni_names_sort(names, first);
    return status;
}

/* The type of an entry, S_IFDIR and so on; where `follow`, of what a link leads to.  0: gone or
 * unreachable. */
static mode_t entry_type(DIR *folder, const struct dirent *entry, bool follow)
{
    struct stat status;
    if (!follow && entry->d_type != DT_UNKNOWN)
        return DTTOIF(entry->d_type);
    if (fstatat(dirfd(folder), entry->d_name, &status, follow ? 0 : AT_SYMLINK_NOFOLLOW) < 0)
        return 0;
    return status.st_mode & S_IFMT;
}

/* Takes folders, and notes links to them. */
static cnn_status take_folder(struct cnni_names *names, struct place *place, DIR *folder,
                              const struct dirent *entry)
{
    mode_t type = entry_type(folder, entry, false);
    if (type == S_IFLNK && entry_type(folder, entry, true) == S_IFDIR)
        return cnni_names_add(&place->links, place->context, NULL, entry->d_name, function);
    if (type != S_IFDIR)
        return CNN_OK;
    CNNI_TRY(cnni_check_limit(place->context, CNN_LIMIT_CLASSES, names->count + 1, function,
                              "the number of class folders"));
    return cnni_names_add(names, place->context, NULL, entry->d_name, function);
}

/* Whether `name` ends in `ending`, in either case; the locale has no say. */
static bool ends_in(const char *name, const char *ending)
{
    size_t length = strlen(name), size = strlen(ending);
    if (length < size)
        return false;
    for (const char *c = name + (length - size); *c != '\0'; c++, ending++)
        if ((*c >= 'A' && *c <= 'Z' ? *c + ('a' - 'A') : *c) != *ending)
            return false;
    return true;
}

static bool is_picture_name(const char *name)
{
    return ends_in(name, ".jpg") || ends_in(name, ".jpeg") || ends_in(name, ".png");
}

static cnn_status take_picture(struct cnni_names *names, struct place *place, DIR *folder,
                               const struct dirent *entry)
{
    (void)folder;
    if (!is_picture_name(entry->d_name))
        return CNN_OK;
    CNNI_TRY(cnni_check_limit(place->context, CNN_LIMIT_SAMPLES, names->count + 1, function,
                              "the number of pictures"));
    return cnni_names_add(names, place->context, place->path, entry->d_name, function);
}

/* ---- Layout -------------------------------------------------------------------------------- */

static cnn_status list_folders(struct cnni_names *folders, struct place *place)
{
    cnni_names_free(folders, place->context);
    cnni_names_free(&place->links, place->context);
    CNNI_TRY(list_folder(folders, place, take_folder));
    cnni_names_sort(&place->links, 0);
    return CNN_OK;
}

static cnn_status fail_link(const struct place *place, const char *name)
{
    char shown[CNNI_SHOW_SIZE];
    return cnni_fail(place->context, CNN_ERROR_IO,
                     "%s: \"%s\" in \"%s\" is a symbolic link, must be a folder: put one there, or "
                     "open what the link leads to",
                     function, cnni_show_bytes(shown, sizeof shown, name, strlen(name)),
                     place->shown);
}

static cnn_status fail_part(const struct place *place, cnn_part part)
{
    return cnni_fail(place->context, CNN_ERROR_NOT_FOUND,
                     "%s: \"%s\" has no folder \"%s\" or \"%s\"", function, place->shown,
                     part_names[part][0], part_names[part][1]);
}

/* Goes on from the folder at `place`, whose sub-folders are `folders`, to that of the part, and
 * into the only folder in it where that has its name again.  Links beside that of the part, such as
 * "latest", are nobody's. */
static cnn_status enter_part(struct place *place, struct cnni_names *folders, cnn_part part)
{
    const char *name = NULL;
    for (int32_t i = 0; i < PART_NAMES && part_names[part][i] != NULL; i++) {
        if (cnni_names_have(&place->links, part_names[part][i]))
            return fail_link(place, part_names[part][i]);
        if (name == NULL && cnni_names_have(folders, part_names[part][i]))
            name = part_names[part][i];
    }
    if (name == NULL && part == CNN_TRAIN)
        return CNN_OK;
    if (name == NULL)
        return fail_part(place, part);
    CNNI_TRY(go(place, place->length, name));
    CNNI_TRY(list_folders(folders, place));
    if (folders->count != 1 || place->links.count > 0 || strcmp(folders->name[0], name) != 0)
        return CNN_OK;
    CNNI_TRY(go(place, place->length, name));
    return list_folders(folders, place);
}

static cnn_status fail_lonely(const struct place *place, const char *name)
{
    char shown[CNNI_SHOW_SIZE];
    return cnni_fail(place->context, CNN_ERROR_FORMAT,
                     "%s: \"%s\" has only one class folder, \"%s\", must have at least 2", function,
                     place->shown, cnni_show_bytes(shown, sizeof shown, name, strlen(name)));
}

/* A link is refused, not passed over: a class would be missing. */
static cnn_status check_classes(const struct place *place, const struct cnni_names *classes)
{
    char shown[CNNI_SHOW_SIZE];
    if (place->links.count > 0)
        return fail_link(place, place->links.name[0]);
    if (classes->count == 0)
        return fail(place, CNN_ERROR_FORMAT, "has no folders, must have one of pictures per class");
    for (int64_t i = 0; i < classes->count; i++) {
        const char *name = classes->name[i];
        if (!cnni_utf8_is_name(name))
            return cnni_fail(place->context, CNN_ERROR_FORMAT,
                             "%s: the name of the class folder \"%s\" in \"%s\" must be UTF-8 "
                             "without control characters",
                             function, cnni_show_bytes(shown, sizeof shown, name, strlen(name)),
                             place->shown);
    }
    if (classes->count == 1)
        return fail_lonely(place, classes->name[0]);
    return CNN_OK;
}

/* Lists the pictures of every class; `ends[i]` is the number of pictures up to and with class i. */
static cnn_status list_pictures(struct cnni_source *source, struct place *place, int64_t *ends)
{
    size_t length = place->length;
    for (int64_t i = 0; i < source->class_names.count; i++) {
        int64_t before = source->paths.count;
        CNNI_TRY(go(place, length, source->class_names.name[i]));
        CNNI_TRY(list_folder(&source->paths, place, take_picture));
        if (source->paths.count == before)
            return fail(place, CNN_ERROR_FORMAT,
                        "has no pictures (files ending in .jpg, .jpeg or .png), must have some");
        ends[i] = source->paths.count;
    }
    return CNN_OK;
}

static cnn_status label_pictures(struct cnni_source *source, const int64_t *ends)
{
    int32_t class = 0;
    CNNI_TRY(cnni_alloc(&source->labels, source->context, (size_t)source->paths.count,
                        sizeof *source->labels, function));
    for (int64_t i = 0; i < source->paths.count; i++) {
        class += i == ends[class];
        source->labels[i] = class;
    }
    source->count = source->paths.count;
    source->classes = (int32_t)source->class_names.count;
    return CNN_OK;
}

static cnn_status read_folder(struct cnni_source *source, struct place *place, const char *path,
                              cnn_part part)
{
    int64_t *ends;
    CNNI_TRY(go(place, 0, path));
    source->root = place->root = place->length;
    CNNI_TRY(list_folders(&source->class_names, place));
    CNNI_TRY(enter_part(place, &source->class_names, part));
    CNNI_TRY(check_classes(place, &source->class_names));
    CNNI_TRY(cnni_alloc(&ends, source->context, (size_t)source->class_names.count, sizeof *ends,
                        function));
    cnn_status status = list_pictures(source, place, ends);
    if (status == CNN_OK)
        status = label_pictures(source, ends);
    cnni_free(source->context, ends);
    return status;
}

cnn_status cnni_source_read_folder(struct cnni_source *source, const char *path, cnn_part part)
{
    struct place *place;
    CNNI_TRY(cnni_alloc_zero(&place, source->context, 1, sizeof *place, function));
    place->context = source->context;
    cnn_status status = read_folder(source, place, path, part);
    cnni_names_free(&place->links, source->context);
    cnni_free(source->context, place);
    return status;
}
