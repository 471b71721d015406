package io.tidemill.preprocess.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tidemill.deploy.kafka.testing.SharedKafka;
import io.tidemill.preprocess.Broker;
import io.tidemill.preprocess.tokenize.LettersTokenization;
import io.tidemill.proto.Readers;
import io.tidemill.proto.Topic;
import io.tidemill.proto.TopicCatalogue;
import io.tidemill.proto.v1.Document;
import io.tidemill.proto.v1.Rejected;
import io.tidemill.proto.v1.TokenSequence;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Documents survive a process that dies with its de-duplication store on disk and its transaction open. With the state
 * updater of Kafka 4.1.1 they do not (KAFKA-20685): the store remembers what was never written, and every document is
 * dropped as a duplicate. Two things stand against it, and each is enough: the updater is off, and stores that were not
 * closed in order are deleted. With the updater on and the second test's forged mark, 300 of 300 documents were lost;
 * with the updater on and the mark as it is, none.
 */
class UncleanStopTest {
    private static final int BEFORE = 40;
    private static final int DURING = 300;

    @TempDir
    Path directory;

    private final List<Process> children = new ArrayList<>();

    @AfterEach
    void endChildren() {
        children.forEach(Process::destroyForcibly);
    }

    @Test
    void nothingIsLostOrDoubledWhenTheProcessDiesBeforeTheCommit() throws Exception {
        nothingIsLostOrDoubled("unclean-a.", false);
    }

    @Test
    void theStoresAloneAreNotTrustedEvenWhereTheyLookStoppedInOrder() throws Exception {
        nothingIsLostOrDoubled("unclean-b.", true);
    }

    private void nothingIsLostOrDoubled(String prefix, boolean forgeMark) throws Exception {
        TopicCatalogue catalogue = new TopicCatalogue(prefix);
        Topic sequences = catalogue.tokenSequences(LettersTokenization.FINGERPRINT);
        try (Broker broker = new Broker(SharedKafka.bootstrapServers())) {
            broker.ensure(catalogue, List.of(catalogue.documents(), catalogue.rejected(), sequences));

            // A first life leaves stores and their checkpoint files behind, as they are after an ordinary stop.
            send(broker, catalogue, 0, BEFORE);
            Process first = child(prefix, 0);
            awaitSequences(broker, sequences, BEFORE, first);
            first.getOutputStream().close();
            assertThat(first.waitFor(30, TimeUnit.SECONDS)).isTrue();
            assertThat(first.exitValue()).isZero();

            send(broker, catalogue, BEFORE, BEFORE + DURING);
            Process second = child(prefix, DURING);
            assertThat(second.waitFor(120, TimeUnit.SECONDS))
                    .as("the second life ends by itself")
                    .isTrue();
            assertThat(second.exitValue()).isEqualTo(TokenizeChild.HALTED);
            assertThat(broker.committed(sequences, Readers.tokenSequences()))
                    .as("the last transaction was open")
                    .hasSizeBetween(BEFORE, BEFORE + DURING - 1);
            if (forgeMark) {
                new StopMark(directory, prefix + "tokenize." + LettersTokenization.FINGERPRINT).stopped();
            }

            Process third = child(prefix, 0);
            awaitSequences(broker, sequences, BEFORE + DURING, third);
            third.getOutputStream().close();
            assertThat(third.waitFor(30, TimeUnit.SECONDS)).isTrue();

            assertThat(broker.committed(sequences, Readers.tokenSequences()))
                    .extracting(sequence -> sequence.getProvenance().getParentIds(0))
                    .containsExactlyInAnyOrderElementsOf(IntStream.range(0, BEFORE + DURING)
                            .mapToObj(i -> "d" + i)
                            .toList());
            assertThat(broker.committed(catalogue.rejected(), Readers.rejected()))
                    .extracting(Rejected::getReason)
                    .isEmpty();
        }
    }

    private static void send(Broker broker, TopicCatalogue catalogue, int from, int to) {
        for (int i = from; i < to; i++) {
            broker.protobuf(
                    catalogue.documents(),
                    Document.newBuilder()
                            .setDocumentId("d" + i)
                            .setText("document " + i)
                            .build());
        }
    }

    private void awaitSequences(Broker broker, Topic topic, int count, Process process) {
        await().atMost(Duration.ofMinutes(2))
                .pollInterval(Duration.ofMillis(300))
                .untilAsserted(() -> {
                    assertThat(process.isAlive())
                            .as("the child is alive, see " + log())
                            .isTrue();
                    List<TokenSequence> committed = broker.committed(topic, Readers.tokenSequences());
                    assertThat(committed).hasSizeGreaterThanOrEqualTo(count);
                });
    }

    private Path log() {
        return Path.of("target", "unclean-stop-child.txt");
    }

    private Process child(String prefix, int haltAfter) throws IOException {
        Files.createDirectories(log().getParent());
        Process child = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx256m",
                        "-Djava.util.logging.manager=org.jboss.logmanager.LogManager",
                        "-cp",
                        System.getProperty("java.class.path"),
                        TokenizeChild.class.getName(),
                        SharedKafka.bootstrapServers(),
                        prefix,
                        directory.toString(),
                        String.valueOf(haltAfter))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(new File(log().toString())))
                .start();
        children.add(child);
        return child;
    }
}
