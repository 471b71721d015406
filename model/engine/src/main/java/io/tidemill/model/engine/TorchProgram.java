package io.tidemill.model.engine;

import ai.djl.engine.Engine;
import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValue;
import ai.djl.pytorch.jni.IValueUtils;
import ai.djl.pytorch.jni.JniUtils;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * A TorchScript program made of text: packed into the archive that libtorch loads, and run. The program holds
 * constants (layer counts and the like) but no weights; its methods take and return tensors.
 *
 * <p>The archive is a zip of stored entries. Its two pickles are bytes written here, no pickle is ever read. A method
 * may be run by several threads at once.
 *
 * <p>DJL has no type for bfloat16 and ends the JVM when it asks a tensor for it. Such a tensor passes as {@link Opaque}:
 * the only element of a list, which DJL hands on without looking.
 */
public final class TorchProgram {
    private final PtSymbolBlock block;

    private TorchProgram(PtSymbolBlock block) {
        this.block = block;
    }

    /** Tensors of whatever type that only programs look into. Their owner is the manager they were made for. */
    static final class Opaque {
        private final PtNDArray[] arrays;

        private Opaque(NDList list, String name) {
            arrays = list.stream().map(PtNDArray.class::cast).toArray(PtNDArray[]::new);
            for (PtNDArray array : arrays) {
                array.setName(name + "[]"); // how IValueUtils knows a list: what has one name is one argument
            }
        }

        private Opaque(NDList list) {
            this(list, "opaque");
        }
    }

    /** The engine and the manager of all that lives as long as the process. */
    private static final class Root {
        static final PtNDManager MANAGER = open();

        private static PtNDManager open() {
            PtNDManager manager = (PtNDManager) Engine.getEngine("PyTorch").newBaseManager();
            manager.setName("tidemill");
            if (JniUtils.getNumInteropThreads() != 1) {
                JniUtils.setNumInteropThreads(1);
            }
            return manager;
        }
    }

    /** Loads libtorch if it is not yet loaded. */
    static void start() {
        Root.MANAGER.isOpen();
    }

    static boolean isOnHost() {
        return !Root.MANAGER.getDevice().isGpu();
    }

    /** Whether this build of libtorch has oneDNN's operators: it does on x86-64 and linux aarch64. */
    static boolean hasOneDnn() {
        return OneDnn.PRESENT;
    }

    /** Whether generation multiplies with them: they are for tensors of the CPU alone. */
    static boolean multipliesWithOneDnn() {
        return !Root.MANAGER.getDevice().isGpu() && hasOneDnn();
    }

    /** A program that names one of the operators is loaded, or refused as "unknown builtin op". */
    private static final class OneDnn {
        static final boolean PRESENT = isPresent();

        private static boolean isPresent() {
            String text = "class Program(Module):\n  __parameters__ = []\n  __buffers__ = []\n  training : bool\n";
            try {
                load(text + read("linear-onednn.torchscript"), "Program", Map.of());
                return true;
            } catch (EngineException unknownOperator) {
                return false;
            }
        }
    }

    /** A manager of its own, for a model or for one step; the caller closes it. */
    public static PtNDManager open() {
        return (PtNDManager) Root.MANAGER.newSubManager();
    }

    /**
     * Packs and loads a program.
     *
     * @param text      the class, as TorchScript source
     * @param className the class in the text
     * @param constants values of its attributes: {@code Integer}, {@code Double}, {@code Boolean}, or a list of
     *                  {@code Double} or of {@code Integer} (which must not be empty)
     */
    public static TorchProgram load(String text, String className, Map<String, Object> constants) {
        try {
            return load(new ByteArrayInputStream(pack(text, className, constants)));
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
    }

    /** A program that {@link ProgramArchive} wrote; for tests, because nobody else's archive is to be trusted. */
    static TorchProgram load(Path archive) throws IOException {
        try (InputStream bytes = Files.newInputStream(archive)) {
            return load(bytes);
        }
    }

    private static TorchProgram load(InputStream archive) throws IOException {
        return new TorchProgram(JniUtils.loadModule(Root.MANAGER, archive, false, false));
    }

    /** As {@link #load}, with the text read from resources of this package, one behind the other. */
    static TorchProgram resources(List<String> names, String className, Map<String, Object> constants) {
        return load(text(names), className, constants);
    }

    /** Resources of this package, one behind the other. */
    static String text(List<String> names) {
        StringBuilder text = new StringBuilder();
        for (String name : names) {
            text.append(read(name));
        }
        return text.toString();
    }

    private static String read(String resource) {
        try (InputStream text = TorchProgram.class.getResourceAsStream(resource)) {
            if (text == null) {
                throw new IllegalStateException("Resource " + resource + " is missing from the engine's jar");
            }
            return new String(text.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Runs a method without gradients.
     *
     * @param step      owns the result
     * @param arguments {@code NDArray}, {@code Opaque}, {@code Long}, {@code Integer}, {@code Double}, {@code Boolean},
     *                  {@code long[]}
     */
    public NDList infer(PtNDManager step, String method, Object... arguments) {
        JniUtils.setGraphExecutorOptimize(false);
        return run(step, method, arguments);
    }

    /**
     * As {@link #infer}, for a method of many small operations that is called thousands of times: libtorch simplifies it
     * at its first calls, which takes longer than a call.
     */
    NDList inferOften(PtNDManager step, String method, Object... arguments) {
        JniUtils.setGraphExecutorOptimize(true);
        return run(step, method, arguments);
    }

    private NDList run(PtNDManager step, String method, Object... arguments) {
        try (IValue result = call(method, arguments)) {
            return result.toNDList(step);
        }
    }

    private IValue call(String method, Object... arguments) {
        IValue[] values = new IValue[arguments.length];
        try {
            for (int i = 0; i < arguments.length; i++) {
                values[i] = value(arguments[i]);
            }
            return IValueUtils.runMethod(block, method, values);
        } catch (EngineException e) {
            throw told(e);
        } finally {
            for (IValue value : values) {
                if (value != null) {
                    value.close();
                }
            }
        }
    }

    /** Runs a method that returns a list of tensors, which {@code owner} will own. */
    Opaque make(PtNDManager owner, String method, Object... arguments) {
        return new Opaque(train(owner, method, arguments));
    }

    /**
     * What a method returned to {@link #train}, graph included, as one argument of another that has {@link #make}'s among
     * its arguments too. Its owner stays.
     */
    static Opaque left(NDList result) {
        return new Opaque(result, "left");
    }

    /** As {@link #make}, without gradients ever, and of any number of tensors; arguments as in {@link #infer}. */
    Opaque keep(PtNDManager owner, String method, Object... arguments) {
        return new Opaque(infer(owner, method, arguments));
    }

    /** Runs a method that may take gradients itself. All arguments are tensors or {@link Opaque}; {@code step} owns the result. */
    NDList train(PtNDManager step, String method, Object... arguments) {
        JniUtils.setGraphExecutorOptimize(false);
        NDList list = new NDList(arguments.length + 1);
        // The first array decides which manager owns the result, and its name which method runs.
        NDArray name = step.create(0f);
        name.setName("module_method:" + method);
        list.add(name);
        for (Object argument : arguments) {
            if (argument instanceof Opaque opaque) {
                list.addAll(List.of(opaque.arrays));
            } else {
                list.add((NDArray) argument);
            }
        }
        boolean before = JniUtils.isGradMode(); // of the calling thread
        JniUtils.setGradMode(true);
        try {
            return IValueUtils.forward(block, list, true);
        } catch (EngineException e) {
            throw told(e);
        } finally {
            JniUtils.setGradMode(before);
        }
    }

    /** float32 {@code [length]}. */
    static NDArray zeros(PtNDManager owner, long length) {
        try {
            return owner.zeros(new Shape(length), DataType.FLOAT32);
        } catch (EngineException e) {
            throw told(e);
        }
    }

    /** What the engine threw, with a type of its own where memory was wanting: callers act on that. */
    private static RuntimeException told(EngineException thrown) {
        return NativeMemoryException.of(thrown)
                .map(RuntimeException.class::cast)
                .orElse(thrown);
    }

    private static IValue value(Object argument) {
        if (argument instanceof PtNDArray array) {
            return IValue.from(array);
        } else if (argument instanceof Opaque opaque) {
            return IValue.listFrom(opaque.arrays);
        } else if (argument instanceof Integer number) {
            return IValue.from(number.longValue());
        } else if (argument instanceof Long number) {
            return IValue.from(number);
        } else if (argument instanceof Double number) {
            return IValue.from(number);
        } else if (argument instanceof Boolean flag) {
            return IValue.from(flag);
        } else if (argument instanceof long[] numbers) {
            return IValue.listFrom(numbers);
        }
        throw new IllegalArgumentException("No way to pass " + argument + " to a program");
    }

    /** Scalar tensor, float64. */
    static NDArray scalar(PtNDManager manager, double value) {
        return manager.create(new double[] {value}, new Shape());
    }

    // ---- packing ----------------------------------------------------------------------------------------------------

    static byte[] pack(String text, String className, Map<String, Object> constants) {
        return pack(text, className, constants, Map.of());
    }

    /** @param extra files that a reader may ask for by name: {@code _extra_files} of {@code torch.jit.load}; in their order */
    static byte[] pack(String text, String className, Map<String, Object> constants, Map<String, String> extra) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
            put(zip, "program/data.pkl", module(className, constants));
            put(zip, "program/code/__torch__.py", text.getBytes(StandardCharsets.UTF_8));
            put(zip, "program/constants.pkl", new byte[] {(byte) 0x80, 2, ')', '.'});
            put(zip, "program/version", ascii("10\n")); // of the operators: gelu has its tanh form since 9
            put(zip, "program/byteorder", ascii("little"));
            for (Map.Entry<String, String> file : extra.entrySet()) {
                put(zip, "program/extra/" + file.getKey(), file.getValue().getBytes(StandardCharsets.UTF_8));
            }
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        return bytes.toByteArray();
    }

    private static void put(ZipOutputStream zip, String name, byte[] content) throws IOException {
        ZipEntry entry = new ZipEntry(name);
        CRC32 crc = new CRC32();
        crc.update(content);
        entry.setMethod(ZipEntry.STORED);
        entry.setSize(content.length);
        entry.setCrc(crc.getValue());
        entry.setTime(0);
        zip.putNextEntry(entry);
        zip.write(content);
        zip.closeEntry();
    }

    /** Pickle protocol 2 of one object of the class with its attributes; opcodes as in CPython's pickletools. */
    private static byte[] module(String className, Map<String, Object> constants) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        out.write(new byte[] {(byte) 0x80, 2}); // PROTO 2
        out.write(ascii("c__torch__\n" + className + "\n")); // GLOBAL
        out.write(')'); // EMPTY_TUPLE
        out.write(0x81); // NEWOBJ
        out.write('}'); // EMPTY_DICT
        out.write('('); // MARK
        pair(out, "training", true);
        for (Map.Entry<String, Object> constant : constants.entrySet()) {
            pair(out, constant.getKey(), constant.getValue());
        }
        out.write(ascii("ub.")); // SETITEMS, BUILD, STOP
        return bytes.toByteArray();
    }

    private static void pair(DataOutputStream out, String key, Object value) throws IOException {
        out.write('X'); // BINUNICODE
        out.writeInt(Integer.reverseBytes(key.length()));
        out.write(ascii(key));
        if (value instanceof List<?> list) {
            // A plain list would be one of Any. GLOBAL, MARK, EMPTY_LIST, MARK … APPENDS, TUPLE, REDUCE.
            String kind = !list.isEmpty() && list.get(0) instanceof Integer ? "int" : "double";
            out.write(ascii("ctorch.jit._pickle\nbuild_" + kind + "list\n(]("));
            for (Object element : list) {
                value(out, key, element);
            }
            out.write(ascii("etR"));
        } else {
            value(out, key, value);
        }
    }

    private static void value(DataOutputStream out, String key, Object value) throws IOException {
        if (value instanceof Boolean flag) {
            out.write(flag ? 0x88 : 0x89); // NEWTRUE, NEWFALSE
        } else if (value instanceof Integer number) {
            out.write('J'); // BININT
            out.writeInt(Integer.reverseBytes(number));
        } else if (value instanceof Double number) {
            out.write('G'); // BINFLOAT, big-endian
            out.writeDouble(number);
        } else {
            throw new IllegalArgumentException(
                    "Constant " + key + " must be int, double, boolean or a list, but was " + value);
        }
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
