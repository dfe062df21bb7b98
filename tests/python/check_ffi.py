# SPDX-License-Identifier: MIT
"""Uses libcnn from Python with nothing but its headers: no C compiler, no preprocessor.  Every
declaration is parsed by cffi and found in the library; then a network learns exclusive or, from
steps and from a loader with callbacks, its weights go into a file and out of it, it is measured and
goes on from a checkpoint, and handles are left to the garbage collector.

    check_ffi.py LIBRARY INCLUDE_FOLDER
"""

import gc
import pathlib
import re
import sys
import tempfile

try:
    import cffi
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)


def declarations(folder):
    """What stands in the headers, in the order in which cnn.h includes them."""
    text = ""
    for name in re.findall(r'#include "(cnn/[a-z]+\.h)"', (folder / "cnn.h").read_text()):
        if name != "cnn/export.h":
            text += (folder / name).read_text()
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    text = re.sub(r"^#.*$", "", text, flags=re.MULTILINE)
    return re.sub(r"\b(CNN_API|CNN_BEGIN_DECLS|CNN_END_DECLS)\b", "", text)


library_path, include_folder = sys.argv[1], pathlib.Path(sys.argv[2])
header = declarations(include_folder)
ffi = cffi.FFI()
ffi.cdef(header)
cnn = ffi.dlopen(library_path)

functions = re.findall(r"\b(cnn_\w+)\(", header)
for name in functions:
    getattr(cnn, name)
print(f"{len(functions)} functions, version {ffi.string(cnn.cnn_version_string()).decode()}")
assert len(functions) > 150


def text(pointer):
    return ffi.string(pointer).decode()


def check(status):
    """An exception, as a binding would make of a failure."""
    if status != cnn.CNN_OK:
        raise RuntimeError(f"{text(cnn.cnn_status_name(status))}: {text(cnn.cnn_error_message())}")


def make(kind, create, *arguments):
    """A handle that the garbage collector frees."""
    handle = ffi.new(f"cnn_{kind} **")
    check(create(handle, *arguments))
    return ffi.gc(handle[0], getattr(cnn, f"cnn_{kind}_free"))


released = []


@ffi.callback("cnn_tensor_release_fn")
def release(user, data):
    released.append(int(ffi.cast("intptr_t", user)))


def wrap(context, dtype, array, shape):
    """A tensor over memory of Python's, which must outlive it."""
    number = ffi.cast("void *", 7)
    return make("tensor", cnn.cnn_tensor_wrap, context, dtype, shape, len(shape), array, release,
                number)


context = make("context", cnn.cnn_context_create)
inputs_array = ffi.new("float[]", [0, 0, 0, 1, 1, 0, 1, 1])
labels_array = ffi.new("int32_t[]", [0, 1, 1, 0])
outputs_array = ffi.new("float[]", 8)
inputs = wrap(context, cnn.CNN_FLOAT32, inputs_array, [4, 2])
labels = wrap(context, cnn.CNN_INT32, labels_array, [4])
outputs = wrap(context, cnn.CNN_FLOAT32, outputs_array, [4, 2])

# ---- Steps ---------------------------------------------------------------------------------------

check(cnn.cnn_context_set_seed(context, 1))
model = make("model", cnn.cnn_model_create, context, [2], 1)
for create, *arguments in [(cnn.cnn_dense_create, 16), (cnn.cnn_relu_create,),
                           (cnn.cnn_dense_create, 2), (cnn.cnn_softmax_create,)]:
    check(cnn.cnn_model_add(model, make("layer", create, context, *arguments)))
optimizer = make("optimizer", cnn.cnn_adam_create, context, 0.05)
trainer = make("trainer", cnn.cnn_trainer_create, model, optimizer,
               cnn.CNN_SOFTMAX_CROSS_ENTROPY, 4)
loss = ffi.new("double *")
for _ in range(200):
    check(cnn.cnn_trainer_step(loss, trainer, [inputs], 1, [labels], 1))
assert loss[0] < 0.05, loss[0]

session = make("session", cnn.cnn_session_create, model, 4)
check(cnn.cnn_session_run(session, [outputs], 1, [inputs], 1))
for row, label in enumerate(labels_array):
    assert outputs_array[2 * row + label] > 0.9

# ---- What it is worth ----------------------------------------------------------------------------

metrics = make("metrics", cnn.cnn_metrics_create, context, 2)
check(cnn.cnn_metrics_add(metrics, outputs, labels))
assert cnn.cnn_metrics_samples(metrics) == 4
assert cnn.cnn_metrics_accuracy(metrics) == 1
assert [cnn.cnn_metrics_confusion(metrics, k // 2, k % 2) for k in range(4)] == [2, 0, 0, 2]
assert cnn.cnn_metrics_macro_f1(metrics) == 1
assert cnn.cnn_metrics_log_loss(metrics) < 0.1
area = ffi.new("double *")
check(cnn.cnn_metrics_roc_auc(area, metrics))
assert area[0] == 1, area[0]

# ---- Failures ------------------------------------------------------------------------------------

try:
    check(cnn.cnn_session_run(session, [outputs], 1, [labels], 1))
    raise AssertionError("labels are no inputs")
except RuntimeError as failure:
    assert "CNN_ERROR_SHAPE: cnn_session_run: inputs[0] is int32 [4]" in str(failure), failure

# ---- Callbacks -----------------------------------------------------------------------------------

samples = ffi.new("float[]", list(inputs_array))
pixels = wrap(context, cnn.CNN_FLOAT32, samples, [4, 1, 1, 2])
dataset = make("dataset", cnn.cnn_dataset_from_memory, context, pixels, labels, 2)


def make_training(batch):
    """A model, its trainer and the loader that it goes over; the library holds the optimizer."""
    model = make("model", cnn.cnn_model_create, context, [1, 1, 2], 3)
    for create, *arguments in [(cnn.cnn_flatten_create,), (cnn.cnn_dense_create, 2)]:
        check(cnn.cnn_model_add(model, make("layer", create, context, *arguments)))
    sgd = make("optimizer", cnn.cnn_sgd_create, context, 0.1)
    trainer = make("trainer", cnn.cnn_trainer_create, model, sgd, cnn.CNN_SOFTMAX_CROSS_ENTROPY, 2)
    return model, trainer, make("loader", cnn.cnn_loader_create, dataset, model, batch)


picture_model, fitter, loader = make_training(2)
folder = tempfile.TemporaryDirectory()
checkpoint_path = f"{folder.name}/saved.ckpt".encode()
check(cnn.cnn_trainer_set_checkpoint(fitter, checkpoint_path, 0))
check(cnn.cnn_trainer_set_note(fitter, "größer".encode()))
told = []


@ffi.callback("cnn_progress_fn")
def progress(user, moment):
    told.append((cnn.cnn_progress_get_kind(moment), cnn.cnn_progress_epoch(moment)))
    return len(told) == 5


status = cnn.cnn_trainer_fit(fitter, loader, ffi.NULL, 3, progress, ffi.NULL)
assert status == cnn.CNN_ERROR_CANCELLED
assert told == [(cnn.CNN_PROGRESS_STEP, 1), (cnn.CNN_PROGRESS_STEP, 1), (cnn.CNN_PROGRESS_EPOCH, 1),
                (cnn.CNN_PROGRESS_STEP, 2), (cnn.CNN_PROGRESS_STEP, 2)], told

# ---- Checkpoints ---------------------------------------------------------------------------------


def dense_weights(model):
    """The four of its dense layer."""
    values = make("tensor", cnn.cnn_tensor_create, context, cnn.CNN_FLOAT32, [2, 2], 2)
    check(cnn.cnn_model_get_parameter(model, b"dense1.weight", values))
    return ffi.unpack(ffi.cast("float *", cnn.cnn_tensor_data(values)), 4)


def resume_and_finish(model, trainer, loader):
    check(cnn.cnn_trainer_resume(trainer, loader, checkpoint_path))
    assert cnn.cnn_trainer_epoch(trainer) == 2
    assert text(cnn.cnn_trainer_note(trainer)) == "größer"
    check(cnn.cnn_trainer_fit(trainer, loader, ffi.NULL, 3, ffi.NULL, ffi.NULL))
    return dense_weights(model)


note = ffi.new("char[]", cnn.CNN_NOTE_SIZE)
check(cnn.cnn_checkpoint_note(note, len(note), context, checkpoint_path))
assert text(note) == "größer"
halfway = dense_weights(picture_model)
finished = resume_and_finish(*make_training(2))
assert finished == resume_and_finish(picture_model, fitter, loader) != halfway
try:
    resume_and_finish(*make_training(3))
    raise AssertionError("batches of another size")
except RuntimeError as failure:
    assert "loader.batch is 2 in it, 3 here" in str(failure), failure

# ---- Weights, and callbacks that change names ----------------------------------------------------

weights_path = f"{folder.name}/weights.safetensors".encode()
answer = None  # borrowed by the library until the next call


def say(name):
    global answer
    answer = ffi.new("char[]", name.encode())
    return answer


@ffi.callback("cnn_weights_rename_fn")
def to_model(user, name):
    return say(text(name).replace("net.", "", 1))


@ffi.callback("cnn_weights_rename_fn")
def to_file(user, name):
    return say("net." + text(name))


weights = make("weights", cnn.cnn_weights_create, context)
check(cnn.cnn_weights_set_rename(weights, to_model, to_file, ffi.NULL))
check(cnn.cnn_model_save_weights(picture_model, weights_path, weights))
zeros = make("tensor", cnn.cnn_tensor_create, context, cnn.CNN_FLOAT32, [2, 2], 2)
check(cnn.cnn_model_set_parameter(picture_model, b"dense1.weight", zeros))
assert dense_weights(picture_model) == [0] * 4
check(cnn.cnn_model_load_weights(picture_model, weights_path, weights))
assert dense_weights(picture_model) == finished
assert cnn.cnn_weights_count(weights, cnn.CNN_WEIGHTS_LOADED) == 2
assert text(cnn.cnn_weights_name(weights, cnn.CNN_WEIGHTS_LOADED, 0)) == "dense1.weight"
try:
    check(cnn.cnn_model_load_weights(picture_model, weights_path, ffi.NULL))
    raise AssertionError("names that the model does not have")
except RuntimeError as failure:
    assert "dense1.weight" in str(failure), failure

# ---- The garbage collector, in its own order -----------------------------------------------------

del context, inputs, labels, pixels, dataset, model, picture_model, optimizer, loader
del metrics, weights, zeros
gc.collect()
cnn.cnn_trainer_cancel(trainer)
del trainer, fitter, session, outputs
gc.collect()
assert released == [7, 7, 7, 7], released
