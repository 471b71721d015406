package io.tidemill.standalone.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemill.model.base.CorpusDocument;
import io.tidemill.model.base.DemoNovel;
import io.tidemill.model.base.GrammarCorrections;
import io.tidemill.model.base.GrammarCorrections.Correction;
import io.tidemill.proto.SplitFunction;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class DemoPlanTest {
    private static final DemoPlan PLAN = DemoPlan.of(
            DemoNovel.documents().toList(), GrammarCorrections.all(), new SplitFunction("tidemill", 0.12), 1000, 1);

    @Test
    void theExamIsLargeEnoughToSeeTwoPoints() {
        assertThat(PLAN.exam().corrections()).hasSizeGreaterThanOrEqualTo(900);
        assertThat(PLAN.exam().passages()).hasSizeGreaterThanOrEqualTo(20);
    }

    @Test
    void theFirstBatchesAreFull() {
        for (DemoPlan.Batch batch : PLAN.batches().subList(0, 2)) {
            assertThat(batch.corrections()).hasSize(1000);
            assertThat(batch.passages()).hasSizeGreaterThan(50);
        }
    }

    @Test
    void everythingIsSentOnce() {
        Set<String> sent = new HashSet<>();
        PLAN.exam().corrections().forEach(correction -> assertThat(sent.add(correction.id()))
                .isTrue());
        PLAN.exam().passages().forEach(passage -> assertThat(sent.add(passage.id()))
                .isTrue());
        for (DemoPlan.Batch batch : PLAN.batches()) {
            batch.corrections()
                    .forEach(correction -> assertThat(sent.add(correction.id())).isTrue());
            batch.passages()
                    .forEach(passage -> assertThat(sent.add(passage.id())).isTrue());
        }
        assertThat(sent).hasSize((int)
                (GrammarCorrections.all().size() + DemoNovel.documents().count()));
    }

    @Test
    void noRuleIsOnBothSides() {
        Set<String> heldOut =
                PLAN.exam().corrections().stream().map(Correction::ruleId).collect(Collectors.toSet());
        for (DemoPlan.Batch batch : PLAN.batches()) {
            assertThat(batch.corrections()).noneMatch(correction -> heldOut.contains(correction.ruleId()));
        }
    }

    @Test
    void theSeedAloneDecidesTheOrder() {
        assertThat(plan(7)).isEqualTo(plan(7)).isNotEqualTo(plan(8));
    }

    @Test
    void fewerPairsThanARoundTakesAreOneBatch() {
        DemoPlan plan = DemoPlan.of(
                List.of(new CorpusDocument("novel/1/1", "novel", "Text.")),
                List.of(),
                new SplitFunction("tidemill", 0),
                1000,
                1);
        assertThat(plan.batches()).hasSize(1);
        assertThat(plan.exam().size()).isZero();
    }

    private static DemoPlan plan(long seed) {
        return DemoPlan.of(List.of(), GrammarCorrections.all(), new SplitFunction("tidemill", 0.12), 1000, seed);
    }
}
