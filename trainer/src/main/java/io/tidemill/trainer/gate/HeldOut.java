package io.tidemill.trainer.gate;

import com.google.protobuf.ByteString;
import io.tidemill.proto.ErasureKeys;
import io.tidemill.proto.ErasureSet;
import io.tidemill.proto.v1.Preference;
import io.tidemill.proto.v1.TokenSequence;
import io.tidemill.trainer.checkpoint.MessageFile;
import io.tidemill.trainer.data.ExampleOrder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The held-out examples of a lineage, gathered over its rounds: at most so many windows and pairs, an even sample of all
 * that ever came (those with the lowest hash of their id), so that most of the suite is the same from round to round.
 *
 * @param sequences windows of documents and labelled texts, each its own sequence
 */
public record HeldOut(List<TokenSequence> sequences, List<Preference> pairs) {
    private static final String SEQUENCES = "held-out-sequences.binpb";
    private static final String PAIRS = "held-out-pairs.binpb";
    private static final long SAMPLE = 0x7469_6465L;

    public static final HeldOut NONE = new HeldOut(List.of(), List.of());

    public HeldOut {
        sequences = List.copyOf(sequences);
        pairs = List.copyOf(pairs);
    }

    /**
     * Together with what a slice brought.
     *
     * @param windows cut as they are to be kept
     */
    public HeldOut with(List<TokenSequence> windows, List<Preference> morePairs, Limits limits) {
        ExampleOrder order = new ExampleOrder(SAMPLE);
        return new HeldOut(
                order.first(limits.windows(), join(sequences, windows), TokenSequence::getExampleId),
                order.first(limits.pairs(), join(pairs, morePairs), Preference::getExampleId));
    }

    /** Without what these erasures concern. */
    public HeldOut without(ErasureSet erased) {
        return new HeldOut(
                sequences.stream()
                        .filter(sequence -> !erased.concerns(ErasureKeys.of(sequence)))
                        .toList(),
                pairs.stream()
                        .filter(pair -> !erased.concerns(ErasureKeys.of(pair)))
                        .toList());
    }

    /** What its examples go by where something is to be forgotten. */
    public Set<String> keys() {
        Set<String> keys = new HashSet<>();
        sequences.forEach(sequence -> keys.addAll(ErasureKeys.of(sequence)));
        pairs.forEach(pair -> keys.addAll(ErasureKeys.of(pair)));
        return keys;
    }

    /** How many windows and pairs are kept at most. */
    public record Limits(int windows, int pairs) {}

    private static <T> List<T> join(List<T> one, List<T> other) {
        return Stream.concat(one.stream(), other.stream()).toList();
    }

    /** A sequence as windows of {@code length} predicted tokens, as a decoder reads them. */
    public static Stream<TokenSequence> windows(TokenSequence sequence, int length) {
        return Window.cut(sequence, length).stream().map(window -> {
            TokenSequence.Builder message = sequence.toBuilder()
                    .clearIds()
                    .clearLossMask()
                    .setExampleId(window.id())
                    .setTextBytes(Math.round(window.bytes()));
            byte[] mask = new byte[window.ids().length];
            for (int i = 0; i < mask.length; i++) {
                message.addIds(window.ids()[i]);
                mask[i] = (byte) (window.mask()[i] ? 1 : 0);
            }
            return message.setLossMask(ByteString.copyFrom(mask)).build();
        });
    }

    /** The windows as a loss suite reads them. */
    public List<Window> windows() {
        return sequences.stream()
                .map(sequence -> {
                    boolean[] mask = new boolean[sequence.getIdsCount()];
                    for (int i = 0; i < mask.length; i++) {
                        mask[i] = sequence.getLossMask().byteAt(i) != 0;
                    }
                    int[] ids = sequence.getIdsList().stream()
                            .mapToInt(Integer::intValue)
                            .toArray();
                    return new Window(sequence.getExampleId(), ids, mask, sequence.getTextBytes());
                })
                .toList();
    }

    /** Writes both lists into a version's private directory, flushed. */
    public void write(Path directory) throws IOException {
        MessageFile.write(directory.resolve(SEQUENCES), sequences);
        MessageFile.write(directory.resolve(PAIRS), pairs);
    }

    /** Nothing where the files are absent. */
    public static HeldOut read(Path directory) throws IOException {
        return new HeldOut(
                MessageFile.read(directory.resolve(SEQUENCES), TokenSequence.parser()),
                MessageFile.read(directory.resolve(PAIRS), Preference.parser()));
    }
}
