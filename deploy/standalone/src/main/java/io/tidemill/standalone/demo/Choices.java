package io.tidemill.standalone.demo;

import com.google.protobuf.Timestamp;
import io.tidemill.model.base.GrammarCorrections.Correction;
import io.tidemill.proto.v1.ChatMessage;
import io.tidemill.proto.v1.Comparison;
import io.tidemill.proto.v1.Comparison.Side;
import io.tidemill.proto.v1.Comparison.Verdict;
import io.tidemill.proto.v1.Feedback;
import io.tidemill.proto.v1.Principal;
import io.tidemill.proto.v1.SelfContained;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Random;

/** Turns a correction into the choice of a person who was shown both sentences and took the corrected one. */
final class Choices {
    /**
     * The question behind every choice. It does not hold the sentence with the mistake: what is learned is which
     * English is preferred, not how to copy.
     */
    static final String PROMPT = "Write this sentence in correct English.";

    static final String SOURCE = "languagetool-examples";

    private final Random sides;
    private final Clock clock;

    /** @param seed decides on which side the corrected sentence stands */
    Choices(long seed, Clock clock) {
        this.sides = new Random(seed);
        this.clock = clock;
    }

    Feedback of(Correction correction) {
        boolean correctedIsA = sides.nextBoolean();
        boolean aIsLeft = sides.nextBoolean();
        SelfContained shown = SelfContained.newBuilder()
                .addMessages(ChatMessage.newBuilder().setRole("user").setContent(PROMPT))
                .setAnswerA(correctedIsA ? correction.corrected() : correction.original())
                .setAnswerB(correctedIsA ? correction.original() : correction.corrected())
                .build();
        return Feedback.newBuilder()
                .setFeedbackId("demo/" + correction.id())
                .setPrincipal(Principal.newBuilder().setSubject("demo").setAssurance(Principal.Assurance.BROKER))
                .setEventTime(timestamp(clock.instant()))
                .setSource(SOURCE)
                .setGroupId(DemoPlan.groupOf(correction))
                .setComparison(Comparison.newBuilder()
                        .setVerdict(correctedIsA ? Verdict.A_BETTER : Verdict.B_BETTER)
                        .setSelfContained(shown)
                        .setLeft(aIsLeft ? Side.A : Side.B)
                        .addAllDisplayedOrder(aIsLeft ? List.of("a", "b") : List.of("b", "a")))
                .build();
    }

    private static Timestamp timestamp(Instant at) {
        return Timestamp.newBuilder()
                .setSeconds(at.getEpochSecond())
                .setNanos(at.getNano())
                .build();
    }
}
