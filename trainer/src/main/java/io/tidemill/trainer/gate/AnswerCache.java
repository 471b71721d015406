package io.tidemill.trainer.gate;

import io.tidemill.trainer.checkpoint.Sealed;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Answers by version and question, beside the scores, so that a champion is asked once however many rounds it stands. */
public final class AnswerCache {
    static final String SUFFIX = ".answers";

    private static final int AT_ONCE = 8;
    private static final String CUT = "cut";
    private static final String ENDED = "ended";

    private final Path directory;

    AnswerCache(Path directory) {
        this.directory = directory;
    }

    /**
     * The answers in the order of the questions; asks the model for what is not known yet, and keeps it.
     *
     * @param between called between two parts of the work; what it throws keeps what was answered before
     */
    public List<Reply> answers(
            String version, List<Question> questions, Function<List<Question>, List<Reply>> model, Runnable between)
            throws IOException {
        Map<String, Reply> known = read(version);
        List<Question> missing = questions.stream()
                .filter(question -> !known.containsKey(question.contentId()))
                .toList();
        for (int from = 0; from < missing.size(); from += AT_ONCE) {
            between.run();
            List<Question> part = missing.subList(from, Math.min(missing.size(), from + AT_ONCE));
            List<Reply> replies = model.apply(part);
            for (int i = 0; i < part.size(); i++) {
                known.put(part.get(i).contentId(), replies.get(i));
            }
            write(version, known);
        }
        return questions.stream()
                .map(question -> known.get(question.contentId()))
                .toList();
    }

    private Map<String, Reply> read(String version) throws IOException {
        Map<String, Reply> known = new HashMap<>();
        Optional<byte[]> kept = Sealed.readOrForget(file(version));
        if (kept.isPresent()) {
            for (String line :
                    new String(kept.get(), StandardCharsets.UTF_8).lines().toList()) {
                String[] parts = line.split("\t", -1);
                int[] tokens = parts[2].isEmpty()
                        ? new int[0]
                        : Stream.of(parts[2].split(" "))
                                .mapToInt(Integer::parseInt)
                                .toArray();
                known.put(parts[0], new Reply(tokens, parts[1].equals(ENDED)));
            }
        }
        return known;
    }

    private void write(String version, Map<String, Reply> known) throws IOException {
        List<String> lines = new ArrayList<>();
        new TreeMap<>(known)
                .forEach((id, reply) -> lines.add(id + "\t" + (reply.ended() ? ENDED : CUT) + "\t"
                        + IntStream.of(reply.tokens())
                                .mapToObj(Integer::toString)
                                .collect(Collectors.joining(" "))
                        + "\n"));
        Files.createDirectories(directory);
        Sealed.write(file(version), String.join("", lines));
    }

    private Path file(String version) {
        return directory.resolve(version + SUFFIX);
    }
}
