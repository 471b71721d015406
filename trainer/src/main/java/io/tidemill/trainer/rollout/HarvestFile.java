package io.tidemill.trainer.rollout;

import io.tidemill.model.engine.FinishReason;
import io.tidemill.trainer.reward.Judgement;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.TreeMap;

/**
 * A {@link Harvest} as bytes, exactly: every number as its 64 bits, and SHA-256 of all before it at the end. Prompts are
 * named, not copied. Big-endian; a text is its length in UTF-8 and its bytes.
 */
final class HarvestFile {
    private static final long MAGIC = 0x54494445_524F4C31L; // "TIDEROL1"
    private static final int DIGEST = 32;

    private HarvestFile() {}

    // ---- writing ----------------------------------------------------------------------------------------------------

    static byte[] write(Harvest harvest) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            out.writeLong(MAGIC);
            out.writeLong(harvest.step());
            text(out, harvest.origin().settings());
            text(out, harvest.origin().weights());
            write(out, harvest.before());
            out.writeInt(harvest.asked());
            out.writeInt(harvest.dropped());
            out.writeInt(harvest.rollouts().size());
            for (Rollout rollout : harvest.rollouts()) {
                text(out, rollout.prompt().promptId());
                out.writeLong(rollout.epoch());
                out.writeInt(rollout.answers().size());
                for (RolledAnswer answer : rollout.answers()) {
                    write(out, answer);
                }
            }
            out.flush();
            out.write(RolloutSource.sha256(bytes.toByteArray()));
        } catch (IOException e) {
            throw new IllegalStateException("Rollouts could not be written to memory: " + e.getMessage(), e);
        }
        return bytes.toByteArray();
    }

    private static void write(DataOutputStream out, RolledAnswer answer) throws IOException {
        out.writeInt(answer.tokens().length);
        for (int token : answer.tokens()) {
            out.writeInt(token);
        }
        write(out, answer.generated());
        write(out, answer.sampled());
        write(out, answer.reference());
        write(out, answer.values());
        text(out, answer.finish().name());
        out.writeDouble(answer.judgement().total());
        write(out, answer.judgement().parts());
        out.writeBoolean(answer.heldOut().isPresent());
        out.writeDouble(answer.heldOut().orElse(0));
    }

    private static void text(DataOutputStream out, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        out.writeInt(bytes.length);
        out.write(bytes);
    }

    private static void write(DataOutputStream out, double[] numbers) throws IOException {
        out.writeInt(numbers.length);
        for (double number : numbers) {
            out.writeDouble(number);
        }
    }

    private static void write(DataOutputStream out, Map<String, Double> numbers) throws IOException {
        out.writeInt(numbers.size());
        for (Map.Entry<String, Double> entry : new TreeMap<>(numbers).entrySet()) {
            text(out, entry.getKey());
            out.writeDouble(entry.getValue());
        }
    }

    // ---- reading ----------------------------------------------------------------------------------------------------

    /**
     * @param prompts by their ids
     * @throws IOException if a byte is not as it was written, or a prompt is not there
     */
    static Harvest read(byte[] bytes, Map<String, RolloutPrompt> prompts) throws IOException {
        int length = bytes.length - DIGEST;
        if (length < Long.BYTES
                || !Arrays.equals(
                        Arrays.copyOfRange(bytes, length, bytes.length),
                        RolloutSource.sha256(Arrays.copyOf(bytes, length)))) {
            throw new IOException("its digest does not fit its " + bytes.length + " bytes");
        }
        try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes, 0, length))) {
            if (in.readLong() != MAGIC) {
                throw new IOException("it was written by another version of this program");
            }
            long step = in.readLong();
            Harvest.Origin origin = new Harvest.Origin(readText(in), readText(in));
            Map<String, Double> before = readMap(in);
            int asked = in.readInt();
            int dropped = in.readInt();
            int count = in.readInt();
            List<Rollout> rollouts = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                rollouts.add(readRollout(in, prompts));
            }
            return new Harvest(step, origin, before, asked, dropped, rollouts);
        }
    }

    private static Rollout readRollout(DataInputStream in, Map<String, RolloutPrompt> prompts) throws IOException {
        String promptId = readText(in);
        RolloutPrompt prompt = prompts.get(promptId);
        if (prompt == null) {
            throw new IOException("its prompt " + promptId + " is none of this stage's");
        }
        long epoch = in.readLong();
        int count = in.readInt();
        List<RolledAnswer> answers = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            answers.add(readAnswer(in));
        }
        return new Rollout(prompt, epoch, answers);
    }

    private static RolledAnswer readAnswer(DataInputStream in) throws IOException {
        int[] tokens = new int[in.readInt()];
        for (int t = 0; t < tokens.length; t++) {
            tokens[t] = in.readInt();
        }
        double[] generated = readNumbers(in);
        double[] sampled = readNumbers(in);
        double[] reference = readNumbers(in);
        double[] values = readNumbers(in);
        FinishReason finish = FinishReason.valueOf(readText(in));
        Judgement judgement = new Judgement(in.readDouble(), readMap(in));
        boolean checked = in.readBoolean();
        double heldOut = in.readDouble();
        return new RolledAnswer(
                tokens,
                generated,
                sampled,
                reference,
                values,
                finish,
                judgement,
                checked ? OptionalDouble.of(heldOut) : OptionalDouble.empty());
    }

    private static String readText(DataInputStream in) throws IOException {
        return new String(in.readNBytes(in.readInt()), StandardCharsets.UTF_8);
    }

    private static double[] readNumbers(DataInputStream in) throws IOException {
        double[] numbers = new double[in.readInt()];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = in.readDouble();
        }
        return numbers;
    }

    private static Map<String, Double> readMap(DataInputStream in) throws IOException {
        Map<String, Double> numbers = new TreeMap<>();
        int count = in.readInt();
        for (int i = 0; i < count; i++) {
            numbers.put(readText(in), in.readDouble());
        }
        return numbers;
    }
}
