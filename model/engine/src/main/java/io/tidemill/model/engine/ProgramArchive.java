package io.tidemill.model.engine;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The arithmetic of a model as a TorchScript archive in a file, for any machine with PyTorch: {@code torch.jit.load} reads
 * it. It holds no weights: methods take them as one flat tensor, and what a reader needs to make that tensor is in the
 * archive too, as its extra files {@link #LAYOUT} and {@link #CONFIG}. The same model gives the same bytes.
 *
 * <p>LAYOUT is a JSON object:
 *
 * <pre>
 *   format      1
 *   length      weights in the flat tensor
 *   small       how many of them, the last ones, are of one dimension
 *   tensors     {name, at, shape} of each, in the order of their places: name as in Hugging Face's files, at = its first
 *               element in the flat tensor, which lies there row by row
 *   constants   the program's attributes
 * </pre>
 *
 * <p>CONFIG is the model's {@code config.json}.
 */
public final class ProgramArchive {
    public static final String LAYOUT = "layout.json";
    public static final String CONFIG = "config.json";

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern METHOD = Pattern.compile("(?m)^  def (\\w+)\\(self: [\\w.]+(?:, )?(.*)\\) -> (.*):$");
    private static final Pattern USE = Pattern.compile("\\bself\\.(\\w+)\\(");

    private final String text;
    private final Layout layout;
    private final Map<String, Object> constants;
    private final String config;

    private ProgramArchive(String text, Layout layout, Map<String, Object> constants, String config) {
        this.text = text;
        this.layout = layout;
        this.constants = constants;
        this.config = config;
    }

    /**
     * The program of a decoder.
     *
     * @param oneDnn whether generation multiplies with oneDNN's operators: faster on a CPU, wrong on a GPU, and a PyTorch
     *               without them (macOS) does not load it
     */
    public static ProgramArchive of(ModelConfig config, boolean oneDnn) {
        return new ProgramArchive(
                TorchProgram.text(Layout.texts(oneDnn)),
                new Layout(config),
                Layout.constants(config, Layout.withoutAdapter(config)),
                config.toJson());
    }

    /** The program of an encoder. */
    public static ProgramArchive of(EncoderConfig config) {
        return new ProgramArchive(
                TorchProgram.text(Layout.ENCODER_TEXTS), new Layout(config), Layout.constants(config), config.toJson());
    }

    /**
     * The program of the model that a {@code config.json} describes, decoder or encoder.
     *
     * @param oneDnn as in {@link #of(ModelConfig, boolean)}; an encoder has no use for it
     * @throws IllegalArgumentException if it is no configuration, or asks for what this engine does not have
     */
    public static ProgramArchive of(Path configJson, boolean oneDnn) throws IOException {
        if (!isEncoder(configJson)) {
            return of(ModelConfig.read(configJson), oneDnn);
        } else if (oneDnn) {
            throw new IllegalArgumentException(configJson + " is an encoder's, which generates nothing");
        }
        return of(EncoderConfig.read(configJson));
    }

    private static boolean isEncoder(Path configJson) throws IOException {
        try {
            JsonNode type = JSON.readTree(configJson.toFile()).path("model_type");
            return type.asText().equals("bert");
        } catch (JsonProcessingException noJson) {
            return false; // ModelConfig says so
        }
    }

    /** Number of weights. */
    public long length() {
        return layout.length();
    }

    /**
     * What one calls from outside: the methods that no other method of the program calls, as {@code name(arguments) -> result}.
     */
    public List<String> methods() {
        List<String> used = USE.matcher(text).results().map(use -> use.group(1)).toList();
        List<String> methods = new ArrayList<>();
        Matcher method = METHOD.matcher(text);
        while (method.find()) {
            if (!used.contains(method.group(1))) {
                methods.add(method.group(1) + "(" + method.group(2) + ") -> " + method.group(3));
            }
        }
        return methods;
    }

    /** {@link #LAYOUT}. */
    public String layoutJson() {
        ObjectNode json = JSON.createObjectNode();
        json.put("format", 1);
        json.put("length", layout.length());
        json.put("small", layout.small());
        ArrayNode tensors = json.putArray("tensors");
        layout.slots().stream()
                .sorted(Comparator.comparingLong(Layout.Slot::at))
                .forEach(slot -> tensors.addObject()
                        .put("name", slot.name())
                        .put("at", slot.at())
                        .set("shape", JSON.valueToTree(slot.shape())));
        json.set("constants", JSON.valueToTree(constants));
        try {
            DefaultPrettyPrinter lines = new DefaultPrettyPrinter()
                    .withObjectIndenter(new DefaultIndenter("  ", "\n")); // the same on all systems
            return JSON.writer(lines).writeValueAsString(json) + "\n";
        } catch (JsonProcessingException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    byte[] bytes() {
        Map<String, String> extra = new LinkedHashMap<>();
        extra.put(CONFIG, config);
        extra.put(LAYOUT, layoutJson());
        return TorchProgram.pack(text, "Program", constants, extra);
    }

    /**
     * Writes the archive aside, flushes it and gives it its name: it is there complete or not at all.
     *
     * @param overwrite whether it may take the place of a file that is there
     * @throws FileAlreadyExistsException if it may not
     */
    public void write(Path file, boolean overwrite) throws IOException {
        if (Files.isDirectory(file) || Files.exists(file) && !overwrite) {
            throw new FileAlreadyExistsException(file.toString());
        }
        Path parent = file.toAbsolutePath().getParent();
        Files.createDirectories(parent);
        Path aside = parent.resolve(
                "." + file.getFileName() + "." + ProcessHandle.current().pid() + ".new");
        try {
            try (FileChannel channel = FileChannel.open(
                    aside, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
                ByteBuffer content = ByteBuffer.wrap(bytes());
                while (content.hasRemaining()) {
                    channel.write(content);
                }
                channel.force(true);
            }
            Files.move(aside, file, StandardCopyOption.ATOMIC_MOVE);
            ModelFiles.flushDirectory(parent);
        } finally {
            Files.deleteIfExists(aside);
        }
    }
}
