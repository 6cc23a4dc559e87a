"""What does each rule id mean, and what to do about it: one table."""

from __future__ import annotations

from .duty_rules import DUTY_RULES
from .encoding_rules import ENCODING_RULES
from .limit_rules import LIMIT_RULES
from .rule import Rule as Rule
from .weight_rules import WEIGHT_RULES

_RULES: tuple[Rule, ...] = (
    Rule(
        "PF101", "error", "op not in the runtime",
        "The runtime's table of ops does not list this op, so its op resolver cannot register it and "
        "the interpreter stops when it loads the model. The verdict is NO.",
        "Replace the op in the model, register your own kernel under a custom runtime file, or choose"
        " another runtime with -r. `preflash runtime show NAME` lists the ops of a runtime.",
    ),
    Rule(
        "PF102", "error", "op version out of range",
        "The model asks for a version of the op that the runtime does not implement. A converter "
        "newer than the runtime is the usual reason.",
        "Convert again with an older converter or the options it had, or update the runtime.",
    ),
    Rule(
        "PF103", "error", "tensor type not supported",
        "The op is in the runtime, but not for the type of its input or of its weights.",
        "Quantize the model to int8, or keep this op in a type that the runtime lists.",
    ),
    Rule(
        "PF104", "error", "hybrid op",
        "The op has float activations and integer weights, as dynamic-range quantization makes them. "
        "Microcontroller kernels do not compute that mix.",
        "Quantize fully to integers with a representative data set, or keep the model in float.",
    ),
    Rule(
        "PF105", "error", "the runtime's allocator refuses the model",
        "The ops are known, but the allocator stops: a dynamic shape, a string tensor, too many "
        "scratch requests or a similar limit, named in the finding.",
        "Convert with static shapes, and remove what the finding names.",
    ),
    Rule(
        "PF201", "error", "RAM over budget",
        "The smallest arena that works plus the runtime's static RAM is larger than the memory after "
        "reservations. An error when even the low end does not fit, a warning when the interval "
        "contains the budget.",
        "Look at the RAM timeline of the HTML report for the ops at the peak: a smaller input, fewer "
        "channels there, or more stride before them help; channels elsewhere do not. Check --reserve.",
    ),
    Rule(
        "PF202", "info", "the smallest arena is larger than arena_used",
        "While it plans, the runtime needs working memory in the same arena. An arena of exactly the "
        "size that arena_used_bytes() printed can therefore fail to allocate.",
        "Declare the arena with arena_min_bytes, aligned to 16 bytes.",
    ),
    Rule(
        "PF203", "info", "RAM peak set by one op",
        "While this op runs, the bytes alive are the largest of the whole model; they set the arena.",
        "Make the inputs and outputs of this op smaller. Shrinking other ops does not lower RAM.",
    ),
    Rule(
        "PF204", "warning", "scratch request with an upstream defect",
        "For this shape the kernel library for cores with MVE asks for scratch memory that differs "
        "from what the kernel uses. The plan follows the library; the figure may be off for this op.",
        "Leave some headroom, and update the kernel library when the defect is mended.",
    ),
    Rule(
        "PF205", "warning", "RAM unknown",
        "The runtime's memory plan or its static RAM is not known, so nobody can say whether the "
        "model fits. A lower bound is shown where there is one.",
        "Use a runtime whose planner is known, or measure on the board. --require-known turns this "
        "into exit code 4.",
    ),
    Rule(
        "PF206", "warning", "RAM tight",
        "The model fits with less headroom than asked for (10 % unless --headroom says otherwise).",
        "Reserve what your application needs with --reserve ram=..., then decide.",
    ),
    Rule(
        "PF207", "info", "the firmware's arena against what is needed",
        "The array that the firmware keeps for the arena, by its symbol in the ELF or map, beside the"
        " smallest arena that works for this model. The old array is not counted in RAM, because the "
        "new arena takes its place. A warning when it is too short: AllocateTensors would fail.",
        "Declare the array with the bytes that the finding names, aligned to 16.",
    ),
    Rule(
        "PF208", "warning", "no arena recognised in the firmware",
        "No array in RAM has a name with arena in it, or the arena is allocated while the firmware "
        "runs. An array that is the arena under another name is then counted as the firmware's, "
        "beside the new arena.",
        "Name it with --arena-symbol.",
    ),
    Rule(
        "PF209", "info", "stack and heap of the firmware",
        "Sections, arrays of an RTOS or symbols of the linker script that keep RAM for stack and heap"
        " count as the firmware's. A warning when none was recognised.",
        "Reserve what is missing with --reserve ram=... .",
    ),
    Rule(
        "PF210", "info", "a better plan is known",
        "The runtime's planner places the buffers of the arena's head higher than another layout of the "
        "same buffers does. TFLM follows offsets that the model itself carries.",
        "`preflash plan MODEL -d BOARD --offline-plan -o OUT.tflite` writes that layout into the model.",
    ),
    Rule(
        "PF211", "info", "RAM would fit with a known measure",
        "The arena is too large for what is free, and one of the ways to a smaller one would leave enough.",
        "`preflash plan` shows all of them with what each costs.",
    ),
    Rule(
        "PF301", "error", "flash over budget",
        "Model and runtime code are larger than the memory that holds them, after reservations. An "
        "error when even the low end does not fit, a warning when the interval contains the budget.",
        "Fewer or narrower weights, fewer kinds of ops (each brings code), or a device with more "
        "flash.",
    ),
    Rule(
        "PF302", "warning", "flash or code size unknown",
        "The code size of this runtime on this core was never measured for some or all ops. The "
        "figure is a lower bound.",
        "Link your firmware and read its map file. --require-known turns this into exit code 4.",
    ),
    Rule(
        "PF303", "info", "weights run from external flash",
        "Weights and code are fetched over a serial bus behind a cache. Time depends on the bus clock"
        " and on how well the cache holds, which this estimate states as a wide interval.",
        "Copy hot weights to RAM if they fit, or raise the flash clock.",
    ),
    Rule(
        "PF304", "warning", "flash tight",
        "Model and code fit with less headroom than asked for. Firmware updates in place often need a"
        " second slot.",
        "Reserve your application and update slot with --reserve flash=..., then decide.",
    ),
    Rule(
        "PF305", "info", "narrower registrations would save flash",
        "TFLM's AddConv2D() and the like register kernels for every type, and all of them stay in the image."
        " CMSIS-NN builds also have registrations for one type, such as Register_CONV_2D_INT8(), and every op"
        " named here is of that type throughout the model.",
        "Register as `preflash export` writes it, and declare it with --build registrations=int8.",
    ),
    Rule(
        "PF306", "info", "the firmware holds a model already",
        "An array in the firmware begins like a .tflite file (in a map: has the name of one). It is "
        "not counted, because the model that is checked takes its place.",
        "With several models that stay, reserve the others with --reserve flash=... .",
    ),
    Rule(
        "PF307", "info", "the firmware holds the runtime already",
        "The firmware links TFLM's interpreter. Its code and tables, recognised by name, are not "
        "counted; the estimate's own runtime code stands for them. What both use without such a name,"
        " the C library and maths, is counted twice, so flash is on the safe side.",
        "Nothing to do. For the exact figure link the firmware with the new model and its ops.",
    ),
    Rule(
        "PF308", "warning", "boot loader and update slots",
        "The firmware does not begin where flash begins, which usually means a boot loader below it; "
        "or a linker script already leaves out the boot loader or the other update slots, so that "
        "they are not taken from its regions again.",
        "Give the boot loader's size with --bootloader.",
    ),
    Rule(
        "PF309", "info", "flash depends on how the firmware is built",
        "The model fits with some ways of building the firmware and not with others, and which one it is has"
        " not been declared. The finding names both ends.",
        "Declare what you know with --build: flags, registrations, ndebug, libc, strings, debug-log.",
    ),
    Rule(
        "PF401", "warning", "no cost model for an op",
        "Nobody has a defended price for this op on this kernel library and core. Its figures are "
        "null, and the totals are lower bounds.",
        "Measure the op on the board, or replace it. --require-known turns this into exit code 4.",
    ),
    Rule(
        "PF402", "error", "deadline missed",
        "Even the low end of the latency interval is longer than --deadline.",
        "Fewer MACs in the slowest ops of the report, a faster clock or kernel library, or a longer "
        "deadline.",
    ),
    Rule(
        "PF403", "warning", "deadline at risk",
        "The latency interval contains the deadline, or ends close to it.",
        "Measure on the board before you rely on it, or make the slowest ops cheaper.",
    ),
    Rule(
        "PF410", "info", "op runs on the reference kernel",
        "The kernel library has no fast kernel for this op or shape, so plain C code runs. The "
        "finding says why.",
        "Change what the finding names (type, stride, dilation, channel count), or use another "
        "library.",
    ),
    Rule(
        "PF411", "info", "core never measured",
        "No measured latency backs the cost model on this core and runtime. The interval is wide and "
        "its basis is analytic.",
        "Treat the figure as an order of magnitude; measure one model on the board.",
    ),
    Rule(
        "PF412", "info", "op bound by a memory",
        "This op waits for its memory rather than for the core: weights or activations arrive slower "
        "than the kernel could use them.",
        "Fewer or smaller weights, or a faster memory for them, help more than fewer MACs.",
    ),
    Rule(
        "PF413", "info", "channels without weights are not computed",
        "This runtime finds output channels whose weights are all zero, and neither computes them nor what "
        "only they feed. The latency is that of the rest.",
        "Channels that pruning emptied cost nothing here; on another runtime they cost as much as any.",
    ),
    Rule(
        "PF501", "info", "the NPU is not used",
        "The device has an accelerator, but the chosen runtime does not drive it: all ops run on the "
        "core.",
        "Choose a runtime for the accelerator, if there is one: `preflash runtime list`.",
    ),
    Rule(
        "PF601", "info", "compression hardware is not used",
        "The device declares hardware that decompresses weights, and the chosen runtime does not drive it. "
        "Weights are counted as the .tflite stores them.",
        "Choose a runtime for the accelerator, if there is one: `preflash runtime list`.",
    ),
    Rule(
        "PF701", "warning", "firmware of another machine",
        "The ELF or map is of a machine that the device's core does not run. Bytes and addresses may "
        "mean little on this board; code of another machine has another size.",
        "Give the firmware that was linked for this board.",
    ),
    Rule(
        "PF702", "warning", "in no memory of the device",
        "The device file knows the addresses of its memories, and this section or region lies in none"
        " of them: external RAM, option bytes, another part. It is in no sum of this report.",
        "Copy the device file, add the memory with its address, and give the copy with -d.",
    ),
    Rule(
        "PF703", "info", "linker script and device file",
        "The linker script's regions override the sizes of the device file. A warning when they are "
        "larger than the memory is; an info about files that it includes and about reservations that "
        "its regions leave out already.",
        "Check that the script belongs to this board.",
    ),
    Rule(
        "PF704", "warning", "firmware without symbols",
        "Symbols name arena, model, runtime and stack. Without them all bytes count as the "
        "firmware's.",
        "Give the ELF as the linker wrote it, before strip, or the map with --map.",
    ),
    Rule(
        "PF705", "info", "memories without addresses",
        "The device file does not say at which addresses its memories lie. What is written while the "
        "firmware runs was counted in the memory of static data, the rest in that of code.",
        "Copy the device file and add address = 0x... to its memories.",
    ),
    Rule(
        "PF801", "info", "energy unknown",
        "The device file holds no power figure, so energy per inference cannot be computed.",
        "Add a [power] block with a source to your own device file.",
    ),
    Rule(
        "PF802", "info", "power scaled from another supply",
        "Nobody measured this board at the supply that was asked for. With an LDO the current stays, so "
        "power follows the voltage; with a converter power stays. The interval is wider by how far that "
        "lies off.",
        "Measure it, and add a [[power.point]] to your own device file.",
    ),
    Rule(
        "PF901", "info", "memory of the usual module assumed",
        "The part has no memory of this kind itself; the size is that of the module it is usually "
        "sold in.",
        "Copy the device file and write the size that your board has.",
    ),
    Rule(
        "PF902", "info", "several memories, one arena",
        "The device has several RAMs. The arena is one block in one of them; the others are not used "
        "for it.",
        "If another RAM has room for all of it, place it there: preflash plan MODEL -d BOARD --place auto.",
    ),
    Rule(
        "PF903", "info", "copied into RAM at start",
        "The placement has weights or code used from RAM. They are copied there once at start and lie in "
        "nonvolatile memory as well; the time of the copy is not part of the latency.",
        "Use them in place (--place weights=flash) if RAM or start-up time is short.",
    ),
)  # fmt: skip
_MORE = (*DUTY_RULES, *ENCODING_RULES, *LIMIT_RULES, *WEIGHT_RULES)
RULES: tuple[Rule, ...] = tuple(sorted((*_RULES, *_MORE), key=lambda rule: rule.id))
