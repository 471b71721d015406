package io.tidemill.preprocess.route;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.util.Timestamps;
import io.tidemill.preprocess.TopologyRun;
import io.tidemill.preprocess.state.Limits;
import io.tidemill.proto.Readers;
import io.tidemill.proto.SplitFunction;
import io.tidemill.proto.v1.ChatMessage;
import io.tidemill.proto.v1.Comment;
import io.tidemill.proto.v1.Comparison;
import io.tidemill.proto.v1.Completion;
import io.tidemill.proto.v1.Correction;
import io.tidemill.proto.v1.Erasure;
import io.tidemill.proto.v1.Feedback;
import io.tidemill.proto.v1.Label;
import io.tidemill.proto.v1.Preference;
import io.tidemill.proto.v1.Preference.Origin;
import io.tidemill.proto.v1.Principal;
import io.tidemill.proto.v1.Principal.Assurance;
import io.tidemill.proto.v1.Rating;
import io.tidemill.proto.v1.Rejected;
import io.tidemill.proto.v1.SelfContained;
import io.tidemill.proto.v1.Split;
import io.tidemill.proto.v1.Thumb;
import io.tidemill.proto.v1.Withdrawal;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.test.TestRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class RouteTopologyTest {
    private static final SplitFunction SPLIT = new SplitFunction("tidemill", 0.05);
    private static final Principal ANN = Principal.newBuilder()
            .setSubject("key:ann")
            .setAssurance(Assurance.API_KEY)
            .build();
    private static final Principal BOB = Principal.newBuilder()
            .setSubject("local")
            .setAssurance(Assurance.LOOPBACK)
            .build();

    private final TopologyRun run = TopologyRun.of(run -> topology(run).build());

    private static RouteTopology topology(TopologyRun run) {
        RouteSettings settings = new RouteSettings(
                new Limits(Duration.ofHours(1), 1_000),
                new Limits(Duration.ofDays(30), 1_000),
                new AssuranceTrust(1, 1, 1, 0.5),
                SPLIT);
        return new RouteTopology(run.catalogue, settings, run.erased, run.outcomes);
    }

    @AfterEach
    void close() {
        run.close();
    }

    @Test
    void aComparisonOfTwoCompletionsIsAPairOfTheBetterAndTheWorse() {
        shown("t1", "a", "good");
        run.pass(Duration.ofSeconds(1));
        shown("t1", "b", "bad");
        said(feedback("f1", "t1", ANN)
                .addSubjects("ann")
                .setEventTime(Timestamps.fromMillis(5_000))
                .setComparison(comparison("b", "a", Comparison.Verdict.B_BETTER)));

        Preference preference = only(preferences());
        assertThat(preference.getPair().getChosen().getText()).isEqualTo("good");
        assertThat(preference.getPair().getChosen().getCompletionId()).isEqualTo("a");
        assertThat(preference.getPair().getChosen().getModelVersion()).isEqualTo("tidemill-000001");
        assertThat(preference.getPair().getChosen().getLogProbsList()).containsExactly(-0.5f);
        assertThat(preference.getPair().getRejected().getText()).isEqualTo("bad");
        assertThat(preference.getOrigin()).isEqualTo(Origin.COMPARISON);
        assertThat(preference.getMessagesList()).containsExactly(question());
        assertThat(preference.getWeight()).isEqualTo(1);
        assertThat(preference.getSplit()).isEqualTo(SPLIT.of("conversation of t1"));
        assertThat(preference.getProvenance().getParentIdsList()).containsExactly("f1", "b", "a");
        assertThat(preference.getProvenance().getSubjectsList()).containsExactly("ann", "asker");
        assertThat(preference.getProvenance().getGroupId()).isEqualTo("conversation of t1");
        assertThat(preference.getProvenance().getEventTime()).isEqualTo(Timestamps.fromMillis(5_000));
        assertThat(preference.getProvenance().getIngestTime())
                .isEqualTo(Timestamps.fromMillis(run.now().toEpochMilli()));
        assertThat(preference.getProvenance().getPrincipal()).isEqualTo(ANN);
        assertThat(run.rejected()).isEmpty();
    }

    @Test
    void feedbackMayComeBeforeItsCompletions() {
        said(feedback("f1", "t1", ANN).setComparison(comparison("a", "b", Comparison.Verdict.A_BETTER)));
        shown("t1", "a", "good");
        assertThat(preferences()).isEmpty();
        shown("t1", "b", "bad");

        assertThat(only(preferences()).getPair().getChosen().getText()).isEqualTo("good");
        shown("t1", "b", "other");
        assertThat(preferences()).isEmpty();
    }

    @Test
    void feedbackWithoutAnIdIsKnownByItsContent() {
        String json =
                """
                {"comparison": {"verdict": "A_BETTER", "self_contained": {
                  "messages": [{"role": "user", "content": "Why?"}], "answer_a": "Because.", "answer_b": "%s"}}}
                """;
        run.json(run.catalogue.feedback(), json.formatted("No."));
        run.json(run.catalogue.feedback(), json.formatted("Never."));
        run.json(run.catalogue.feedback(), json.formatted("No."));

        assertThat(preferences())
                .extracting(preference -> preference.getPair().getRejected().getText())
                .containsExactly("No.", "Never.");
        assertThat(run.rejected()).extracting(Rejected::getCode).containsExactly("repeated");
    }

    @Test
    void whatIsNoPromptIsRefusedAndAPromptIsLeftToTheTrainer() {
        run.json(run.catalogue.prompts(), "{\"messages\": [{\"role\": \"user\", \"content\": \"2+2?\"}]}");
        run.json(run.catalogue.prompts(), "{\"messages\": \"2+2?\"}");
        run.bytes(run.catalogue.prompts(), new byte[] {(byte) 0xFF, 1, 2, 3}, new RecordHeaders());

        assertThat(run.rejected()).extracting(Rejected::getCode).containsExactly("wrong-type", "unreadable");
        assertThat(preferences()).isEmpty();
    }

    @Test
    void aComparisonThatPrefersNeitherHasNoObjective() {
        shown("t1", "a", "good");
        shown("t1", "b", "bad");
        said(feedback("f1", "t1", ANN).setComparison(comparison("a", "b", Comparison.Verdict.TIE)));
        said(feedback("f2", "t1", ANN).setComparison(comparison("a", "b", Comparison.Verdict.BOTH_BAD)));

        assertThat(run.rejected())
                .extracting(Rejected::getCode)
                .containsOnly("without-objective")
                .hasSize(2);
        assertThat(preferences()).isEmpty();
    }

    @Test
    void aSelfContainedComparisonNeedsNoCompletionAndItsGroupDecidesTheSplit() {
        SelfContained whole = SelfContained.newBuilder()
                .addMessages(question())
                .setAnswerA("corrected")
                .setAnswerB("original")
                .build();
        Comparison comparison = Comparison.newBuilder()
                .setVerdict(Comparison.Verdict.A_BETTER)
                .setSelfContained(whole)
                .build();
        said(feedback("f1", "", BOB).setSource("external").setGroupId("rule-7").setComparison(comparison));
        said(feedback("f2", "", BOB).setSource("page").setComparison(comparison));

        List<Preference> preferences = preferences();
        assertThat(preferences).extracting(Preference::getOrigin).containsExactly(Origin.EXTERNAL, Origin.COMPARISON);
        assertThat(preferences.get(0).getPair().getChosen().getText()).isEqualTo("corrected");
        assertThat(preferences.get(0).getSplit()).isEqualTo(SPLIT.of("rule-7"));
        assertThat(preferences.get(0).getProvenance().getGroupId()).isEqualTo("rule-7");
        assertThat(preferences.get(1).getProvenance().getGroupId()).isEqualTo("f2");
    }

    @Test
    void aCorrectionIsPreferredToTheAnswer() {
        shown("t1", "a", "their going");
        said(feedback("f1", "t1", ANN)
                .setCorrection(Correction.newBuilder().setCompletionId("a").setCorrected("they're going")));

        Preference preference = only(preferences());
        assertThat(preference.getOrigin()).isEqualTo(Origin.CORRECTION);
        assertThat(preference.getPair().getChosen().getText()).isEqualTo("they're going");
        assertThat(preference.getPair().getChosen().getCompletionId()).isEmpty();
        assertThat(preference.getPair().getRejected().getText()).isEqualTo("their going");
    }

    @Test
    void equalAnswersTeachNothing() {
        shown("t1", "a", "same");
        shown("t1", "b", "same");
        said(feedback("f1", "t1", ANN).setComparison(comparison("a", "b", Comparison.Verdict.A_BETTER)));
        said(feedback("f2", "t1", ANN)
                .setCorrection(Correction.newBuilder().setCompletionId("a").setCorrected("same")));

        assertThat(run.rejected()).extracting(Rejected::getCode).containsExactly("equal-answers", "equal-answers");
        assertThat(preferences()).isEmpty();
    }

    @Test
    void thumbsAndStarsScoreTheCompletion() {
        shown("t1", "a", "one");
        shown("t2", "b", "two");
        said(thumb("f1", "t1", ANN, "a", true));
        said(feedback("f2", "t2", Principal.getDefaultInstance())
                .setRating(Rating.newBuilder().setCompletionId("b").setStars(3)));
        said(feedback("f3", "t2", BOB)
                .setRating(Rating.newBuilder().setCompletionId("b").setStars(2).setOutOf(3)));

        List<Preference> preferences = preferences();
        assertThat(preferences)
                .extracting(preference -> preference.getScored().getScore())
                .containsExactly(1.0, 0.5, 0.5);
        assertThat(preferences).extracting(Preference::getWeight).containsExactly(1.0, 0.5, 1.0);
        assertThat(preferences).extracting(Preference::getOrigin).containsOnly(Origin.RATINGS);
    }

    @Test
    void anAnswerRatedUpAndOneRatedDownToTheSamePromptMakeOnePair() {
        shown("t1", "a", "good");
        shown("t2", "b", "bad");
        said(thumb("f1", "t1", ANN, "a", true).setGroupId("g1"));
        said(thumb("f2", "t2", BOB, "b", false).setGroupId("g2"));
        said(thumb("f3", "t2", ANN, "b", false).setGroupId("g2"));

        List<Preference> pairs =
                preferences().stream().filter(Preference::hasPair).toList();
        Preference pair = only(pairs);
        assertThat(pair.getPair().getChosen().getText()).isEqualTo("good");
        assertThat(pair.getPair().getRejected().getText()).isEqualTo("bad");
        assertThat(pair.getOrigin()).isEqualTo(Origin.RATINGS);
        assertThat(pair.getProvenance().getParentIdsList()).containsExactly("f1", "a", "f2", "b");
        assertThat(pair.getProvenance().getGroupId()).isEqualTo("g1");
        assertThat(pair.getProvenance().hasPrincipal()).isFalse();
    }

    @Test
    void ratingsOnDifferentSidesOfTheSplitMakeNoPair() {
        String held = IntStream.range(0, 1_000)
                .mapToObj(i -> "g" + i)
                .filter(group -> SPLIT.of(group) == Split.HELD_OUT)
                .findFirst()
                .orElseThrow();
        String trained = IntStream.range(0, 1_000)
                .mapToObj(i -> "g" + i)
                .filter(group -> SPLIT.of(group) == Split.TRAIN)
                .findFirst()
                .orElseThrow();
        shown("t1", "a", "good");
        shown("t2", "b", "bad");
        said(thumb("f1", "t1", ANN, "a", true).setGroupId(held));
        said(thumb("f2", "t2", BOB, "b", false).setGroupId(trained));

        assertThat(preferences()).hasSize(2).allMatch(Preference::hasScored);
    }

    @Test
    void commentsAndLabelsAreKeptOutUntilTheyHaveAnObjective() {
        said(feedback("f1", "t1", ANN).setComment(Comment.newBuilder().setText("nice")));
        said(feedback("f2", "t1", ANN).setLabel(Label.newBuilder().setName("tone")));

        List<Rejected> rejected = run.rejected();
        assertThat(rejected).extracting(Rejected::getCode).containsExactly("without-objective", "without-objective");
        assertThat(rejected).extracting(Rejected::getSourceId).containsExactly("f1", "f2");
    }

    @Test
    void theSameFeedbackIdIsOneEvent() {
        shown("t1", "a", "good");
        said(thumb("f1", "t1", ANN, "a", true));
        said(thumb("f1", "t1", ANN, "a", true));

        assertThat(preferences()).hasSize(1);
        assertThat(only(run.rejected()).getCode()).isEqualTo("repeated");
    }

    @Test
    void aNewerWordOfTheSameRaterSupersedesTheOneThatWaits() {
        said(thumb("f1", "t1", ANN, "a", true));
        said(thumb("f2", "t1", BOB, "a", true));
        said(feedback("f3", "t1", ANN)
                .setRating(Rating.newBuilder().setCompletionId("a").setStars(1)));
        Rejected rejected = only(run.rejected());
        assertThat(rejected.getCode()).isEqualTo("superseded");
        assertThat(rejected.getSourceId()).isEqualTo("f1");
        assertThat(rejected.getReason()).contains("f3");

        shown("t1", "a", "answer");
        assertThat(preferences())
                .extracting(preference -> preference.getProvenance().getParentIds(0))
                .containsExactly("f2", "f3");
    }

    @Test
    void aNewerWordTakesBackWhatWasEmittedAndFollowsUnderItsOwnId() {
        shown("t1", "a", "good");
        shown("t1", "b", "bad");
        said(feedback("f1", "t1", ANN).setComparison(comparison("a", "b", Comparison.Verdict.A_BETTER)));
        said(feedback("f2", "t1", BOB).setComparison(comparison("a", "b", Comparison.Verdict.A_BETTER)));
        said(feedback("f3", "t1", ANN).setComparison(comparison("b", "a", Comparison.Verdict.A_BETTER)));

        List<Preference> preferences = preferences();
        assertThat(preferences)
                .extracting(preference -> preference.getPair().getChosen().getText())
                .containsExactly("good", "good", "", "bad");
        assertThat(preferences.get(2).getWithdrawnList()).containsExactly("f1");
        assertThat(preferences.get(2).getProvenance().getPrincipal()).isEqualTo(ANN);
        assertThat(preferences).extracting(Preference::getExampleId).doesNotHaveDuplicates();
        assertThat(run.rejected()).isEmpty();
    }

    @Test
    void aTieIsANewerWordToo() {
        shown("t1", "a", "good");
        shown("t1", "b", "bad");
        said(feedback("f1", "t1", ANN).setComparison(comparison("a", "b", Comparison.Verdict.A_BETTER)));
        said(feedback("f2", "t1", ANN).setComparison(comparison("a", "b", Comparison.Verdict.TIE)));

        assertThat(withdrawn(preferences())).containsExactly(List.of(), List.of("f1"));
        assertThat(only(run.rejected()).getCode()).isEqualTo("without-objective");
    }

    @Test
    void aRatingThatWasTakenBackMeetsNoOpposite() {
        shown("t1", "a", "good");
        shown("t2", "b", "bad");
        said(thumb("f1", "t1", ANN, "a", true));
        said(withdrawal("f2", "t1", ANN, "f1"));
        said(thumb("f3", "t2", ANN, "b", false));

        assertThat(preferences()).noneMatch(Preference::hasPair);
    }

    @Test
    void aComparisonFromElsewhereCanBeTakenBack() {
        run.json(
                run.catalogue.feedback(),
                """
                {"feedback_id": "f1", "principal": {"subject": "key:ann", "assurance": "API_KEY"},
                 "comparison": {"verdict": "A_BETTER", "self_contained": {
                  "messages": [{"role": "user", "content": "Why?"}], "answer_a": "Because.", "answer_b": "No."}}}
                """);
        said(withdrawal("f2", "f1", ANN, "f1"));

        assertThat(withdrawn(preferences())).containsExactly(List.of(), List.of("f1"));
        assertThat(run.rejected()).isEmpty();
    }

    @Test
    void anOlderWordThatComesLateDoesNotCount() {
        shown("t1", "a", "answer");
        said(thumb("f2", "t1", ANN, "a", false).setEventTime(Timestamps.fromMillis(2_000)));
        said(thumb("f1", "t1", ANN, "a", true).setEventTime(Timestamps.fromMillis(1_000)));

        assertThat(only(preferences()).getProvenance().getParentIds(0)).isEqualTo("f2");
        assertThat(only(run.rejected()).getCode()).isEqualTo("superseded");
    }

    @Test
    void ratersWhomNobodyKnowsDoNotSupersedeEachOther() {
        said(thumb("f1", "t1", Principal.getDefaultInstance(), "a", true));
        said(thumb("f2", "t1", Principal.getDefaultInstance(), "a", false));
        shown("t1", "a", "answer");

        assertThat(preferences()).hasSize(2);
        assertThat(run.rejected()).isEmpty();
    }

    @Test
    void aWithdrawalTakesBackWhatWaits() {
        said(thumb("f1", "t1", ANN, "a", true));
        said(withdrawal("f2", "t1", ANN, "f1"));
        shown("t1", "a", "answer");

        assertThat(preferences()).isEmpty();
        Rejected rejected = only(run.rejected());
        assertThat(rejected.getSourceId()).isEqualTo("f1");
        assertThat(rejected.getCode()).isEqualTo("withdrawn");
    }

    @Test
    void aWithdrawalMayComeBeforeWhatItTakesBack() {
        shown("t1", "a", "answer");
        said(withdrawal("f2", "t1", ANN, "f1"));
        said(thumb("f1", "t1", ANN, "a", true));

        assertThat(preferences()).isEmpty();
        assertThat(only(run.rejected()).getCode()).isEqualTo("withdrawn");
    }

    @Test
    void aWithdrawalOfWhatWasEmittedTellsWhoReadsPreferences() {
        shown("t1", "a", "answer");
        said(thumb("f1", "t1", ANN, "a", true));
        said(withdrawal("f2", "t1", ANN, "f1"));

        List<Preference> preferences = preferences();
        assertThat(withdrawn(preferences)).containsExactly(List.of(), List.of("f1"));
        assertThat(preferences.get(1).hasScored()).isFalse();
        assertThat(run.rejected()).isEmpty();
    }

    @Test
    void nobodyTakesBackAnotherRatersWord() {
        said(thumb("f1", "t1", ANN, "a", true));
        said(withdrawal("f2", "t1", BOB, "f1"));
        shown("t1", "a", "answer");

        assertThat(preferences()).hasSize(1);
        assertThat(only(run.rejected()).getCode()).isEqualTo("not-own");
    }

    @Test
    void feedbackThatFindsNoCompletionWithinAnHourIsUnmatched() {
        said(thumb("f1", "t1", ANN, "a", true));
        run.pass(Duration.ofMinutes(59));
        assertThat(run.rejected()).isEmpty();
        run.pass(Duration.ofMinutes(2));

        Rejected rejected = only(run.rejected());
        assertThat(rejected.getCode()).isEqualTo("unmatched");
        assertThat(rejected.getReason()).contains("completion a", "t1", "completion unknown or expired");
        assertThat(rejected.getTopic()).isEqualTo(run.catalogue.feedback().name());
        shown("t1", "a", "too late");
        assertThat(preferences()).isEmpty();
    }

    @Test
    void aCompletionWaitsForFeedbackThirtyDays() {
        shown("t1", "a", "answer");
        run.pass(Duration.ofDays(29));
        said(thumb("f1", "t1", ANN, "a", true));
        assertThat(preferences()).hasSize(1);

        run.pass(Duration.ofDays(2));
        said(thumb("f2", "t1", BOB, "a", true));
        run.pass(Duration.ofHours(2));
        assertThat(preferences()).isEmpty();
        assertThat(only(run.rejected()).getCode()).isEqualTo("unmatched");
    }

    @Test
    void aCompletionOfAnotherTurnIsNotTheOneThatIsRated() {
        shown("t2", "a", "answer");
        said(thumb("f1", "t1", ANN, "a", true));
        run.pass(Duration.ofHours(2));

        assertThat(preferences()).isEmpty();
        assertThat(only(run.rejected()).getCode()).isEqualTo("unmatched");
    }

    @Test
    void aRawTextContinuationHasNoPreferenceObjective() {
        run.protobuf(
                run.catalogue.completions(),
                completion("t1", "a", "on it went").toBuilder().setRawText(true).build());
        said(thumb("f1", "t1", ANN, "a", true));

        assertThat(only(run.rejected()).getCode()).isEqualTo("without-objective");
    }

    @Test
    void theSameCompletionTwiceIsOne() {
        shown("t1", "a", "answer");
        shown("t1", "a", "answer");
        said(thumb("f1", "t1", ANN, "a", true));

        assertThat(preferences()).hasSize(1);
        assertThat(only(run.rejected()).getCode()).isEqualTo("repeated");
    }

    @Test
    void brokenFeedbackGoesToRejectedAndTheStreamGoesOn() {
        run.json(run.catalogue.feedback(), "{\"feedbackId\": \"f1\", \"turnId\"");
        run.bytes(run.catalogue.feedback(), new byte[] {1, 2, 3}, new RecordHeaders());
        run.bytes(run.catalogue.completions(), null, new RecordHeaders());
        run.protobuf(run.catalogue.feedback(), feedback("f1", "t1", ANN).build());
        run.json(run.catalogue.completions(), completion("t1", "a", "answer"));
        run.json(run.catalogue.feedback(), thumb("f2", "t1", ANN, "a", true).build());

        assertThat(run.rejected()).hasSize(4).allMatch(rejected -> rejected.getStage()
                .equals("parse"));
        TestRecord<byte[], byte[]> record = only(run.records(run.catalogue.preferences()));
        assertThat(new String(record.key(), UTF_8)).isEqualTo("t1");
        assertThat(record.headers().toArray()).hasSize(1);
        assertThat(new String(record.headers().lastHeader("content-type").value(), UTF_8))
                .isEqualTo("application/x-protobuf");
    }

    @Test
    void whatIsErasedIsNeitherJoinedNorKeptAndOfItOnlyTheIdIsRejected() {
        run.erased.add(
                Erasure.newBuilder().setErasureId("e1").setSubject("asker").build());
        shown("t1", "a", "secret of low water");
        said(thumb("f1", "t1", ANN, "a", true));
        assertThat(only(run.rejected()))
                .satisfies(rejected -> assertThat(rejected.getCode()).isEqualTo("erased"))
                .satisfies(rejected -> assertThat(rejected.getSourceId()).isEqualTo("a"))
                .satisfies(rejected -> assertThat(rejected.getReason()).isEqualTo("erasure e1 concerns it"))
                .satisfies(rejected -> assertThat(rejected.getTopic())
                        .isEqualTo(run.catalogue.completions().name()))
                .satisfies(rejected -> assertThat(rejected.toString()).doesNotContain("secret"));
        assertThat(preferences()).isEmpty();
        assertThat(run.stored(JoinProcessor.STORE)).doesNotContain("secret");
    }

    @Test
    void storesLoseWhatIsErasedAndWhatWaitedIsAccountedFor() {
        shown("t1", "a", "secret of low water");
        shown("t2", "b", "an answer for all");
        said(feedback("f1", "t3", ANN)
                .setCorrection(Correction.newBuilder().setCompletionId("c").setCorrected("secret correction")));
        said(thumb("f2", "t2", ANN, "b", true));
        assertThat(run.stored(JoinProcessor.STORE)).contains("secret of low water", "secret correction", "key:ann");
        assertThat(run.stored(PairRatingsProcessor.STORE)).contains("an answer for all");
        preferences();

        run.erased.add(Erasure.newBuilder().setSubject("key:ann").build());
        run.erased.add(Erasure.newBuilder().setDocumentId("t1").build());
        run.pass(Duration.ofSeconds(PairRatingsProcessor.SWEEP_SECONDS));

        assertThat(run.stored(JoinProcessor.STORE))
                .doesNotContain("secret", "key:ann")
                .contains("an answer for all");
        assertThat(run.stored(PairRatingsProcessor.STORE)).doesNotContain("an answer for all");
        assertThat(only(run.rejected()).getSourceId()).isEqualTo("f1");
        said(thumb("f3", "t1", BOB, "a", true)); // its answer is gone, and what is said of it goes too
        assertThat(only(run.rejected()).getCode()).isEqualTo("erased");
        said(thumb("f4", "t2", BOB, "b", true));
        assertThat(only(preferences()).getScored().getAnswer().getText()).isEqualTo("an answer for all");
    }

    @Test
    void anAnswerThatIsErasedBetweenTwoPurgesIsNotLearnedFrom() {
        shown("t1", "a", "secret of low water");
        run.erased.add(Erasure.newBuilder().setSubject("asker").build());
        said(thumb("f1", "t1", ANN, "a", true));
        assertThat(preferences()).isEmpty();
        assertThat(only(run.rejected()).getCode()).isEqualTo("erased");
    }

    @Test
    void aRatingThatIsErasedMakesNoPair() {
        shown("t1", "a", "good");
        shown("t1", "b", "bad");
        said(thumb("f1", "t1", ANN, "a", true));
        run.erased.add(Erasure.newBuilder().setSubject("key:ann").build());
        said(thumb("f2", "t1", BOB, "b", false));
        assertThat(preferences()).noneMatch(Preference::hasPair);
    }

    @Test
    void everyOperatorStoreAndRepartitionTopicHasAName() {
        String described = topology(run).build().describe().toString();

        assertThat(described.lines().filter(line -> line.matches(".*[A-Z]-0{5}[0-9]{5}.*")))
                .isEmpty();
        assertThat(described).contains("by-turn-repartition", "by-prompt-repartition", "turns", "open-ratings");
    }

    private void shown(String turn, String id, String answer) {
        run.protobuf(run.catalogue.completions(), completion(turn, id, answer));
    }

    private void said(Feedback.Builder feedback) {
        run.protobuf(run.catalogue.feedback(), feedback.build());
    }

    private List<Preference> preferences() {
        return run.read(run.catalogue.preferences(), Readers.preferences());
    }

    private static List<List<String>> withdrawn(List<Preference> preferences) {
        return preferences.stream()
                .map(preference -> List.copyOf(preference.getWithdrawnList()))
                .toList();
    }

    private static Completion completion(String turn, String id, String answer) {
        return Completion.newBuilder()
                .setCompletionId(id)
                .setTurnId(turn)
                .addMessages(question())
                .setAnswer(answer)
                .setModelVersion("tidemill-000001")
                .addAnswerTokens(7)
                .addAnswerLogProbs(-0.5f)
                .addSubjects("asker")
                .setGroupId("conversation of " + turn)
                .build();
    }

    private static ChatMessage question() {
        return ChatMessage.newBuilder().setRole("user").setContent("why?").build();
    }

    private static Feedback.Builder feedback(String id, String turn, Principal principal) {
        return Feedback.newBuilder().setFeedbackId(id).setTurnId(turn).setPrincipal(principal);
    }

    private static Feedback.Builder thumb(String id, String turn, Principal principal, String completion, boolean up) {
        return feedback(id, turn, principal)
                .setThumb(Thumb.newBuilder().setCompletionId(completion).setUp(up));
    }

    private static Feedback.Builder withdrawal(String id, String turn, Principal principal, String target) {
        return feedback(id, turn, principal)
                .setWithdrawal(Withdrawal.newBuilder().setFeedbackId(target));
    }

    private static Comparison comparison(String a, String b, Comparison.Verdict verdict) {
        return Comparison.newBuilder()
                .setCompletionA(a)
                .setCompletionB(b)
                .setVerdict(verdict)
                .build();
    }

    private static <T> T only(List<T> list) {
        assertThat(list).hasSize(1);
        return list.get(0);
    }
}
