package io.tidemill.trainer.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemill.proto.TopicCatalogue;
import io.tidemill.proto.v1.RoundEvent;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;

/** Whoever is fenced stays so; whoever only lost the broker begins again. */
class AnnouncerTest {
    private final List<MockProducer<byte[], byte[]>> opened = new ArrayList<>();
    private final Announcer announcer = new Announcer(
            () -> {
                opened.add(new MockProducer<>(true, null, new ByteArraySerializer(), new ByteArraySerializer()));
                return opened.get(opened.size() - 1);
            },
            "trainer-tiny",
            new TopicCatalogue(TopicCatalogue.DEFAULT_PREFIX));

    private static final RoundEvent BEAT =
            RoundEvent.newBuilder().setModel("tiny").build();

    @Test
    void aTransactionThatCannotBeAbortedBecauseAnotherTookOverDoesNotTakeTheIdBack() {
        for (KafkaException taken :
                List.of(new ProducerFencedException("newer"), new InvalidProducerEpochException("newer"))) {
            opened.clear();
            announcer.open();
            opened.get(0).commitTransactionException = new TimeoutException("no answer");
            opened.get(0).abortTransactionException = taken;
            assertThatThrownBy(() -> announcer.heartbeat(BEAT)).isInstanceOf(FencedException.class);
            assertThat(opened).hasSize(1);
        }
    }

    @Test
    void aTransactionThatCannotBeAbortedBecauseTheBrokerIsAwayIsEndedByANewOne() {
        announcer.open();
        opened.get(0).commitTransactionException = new TimeoutException("no answer");
        opened.get(0).abortTransactionException = new TimeoutException("no answer either");
        assertThatThrownBy(() -> announcer.heartbeat(BEAT)).isInstanceOf(TimeoutException.class);
        announcer.heartbeat(BEAT);
        assertThat(opened).hasSize(2);
        assertThat(opened.get(1).history()).hasSize(1);
    }
}
