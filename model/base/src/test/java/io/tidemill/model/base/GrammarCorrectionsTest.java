package io.tidemill.model.base;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemill.model.base.GrammarCorrections.Correction;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import javax.xml.stream.XMLStreamException;
import org.junit.jupiter.api.Test;

class GrammarCorrectionsTest {
    private static final List<Correction> ALL = GrammarCorrections.all();

    @Test
    void thousandsOfPairsInThousandsOfRules() {
        assertThat(ALL).hasSizeGreaterThan(9_000);
        assertThat(ALL).extracting(Correction::id).doesNotHaveDuplicates();
        assertThat(ALL.stream().map(Correction::ruleId).distinct()).hasSizeGreaterThan(2_000);
        assertThat(ALL).extracting(Correction::category).contains("GRAMMAR", "TYPOS", "CONFUSED_WORDS", "STYLE");
    }

    @Test
    void knownMistakesAreCorrected() {
        assertThat(ALL)
                .contains(
                        new Correction(
                                "LOWERCASE_MONTHS/1",
                                "LOWERCASE_MONTHS",
                                "GRAMMAR",
                                "My birthday is in august.",
                                "My birthday is in August."),
                        new Correction(
                                "AFFECT_EFFECT/11",
                                "AFFECT_EFFECT",
                                "CONFUSED_WORDS",
                                "The medicine shouldn't effect the baby.",
                                "The medicine shouldn't affect the baby."));
    }

    @Test
    void aPairAlwaysDiffersAndNeverComesTheOtherWayRound() {
        assertThat(ALL).noneMatch(pair -> pair.original().equals(pair.corrected()));
        assertThat(ALL)
                .noneMatch(pair -> pair.original().isBlank() || pair.corrected().isBlank());
        Set<String> forward = ALL.stream()
                .map(pair -> pair.original() + "\n" + pair.corrected())
                .collect(Collectors.toSet());
        assertThat(ALL).hasSameSizeAs(forward);
        assertThat(ALL).noneMatch(pair -> forward.contains(pair.corrected() + "\n" + pair.original()));
    }

    @Test
    void theFirstCorrectionReplacesTheMarkedWords() throws XMLStreamException {
        assertThat(
                        read(
                                """
                        <!DOCTYPE rules [<!ENTITY dots "...">]>
                        <rules><category id="TYPOS" name="Typos"><rulegroup id="GROUP">
                          <rule><example correction="their|there">They lost
                            <marker>there</marker> keys&dots;</example></rule>
                          <rule id="INNER"><example correction="">This <marker>this</marker> goes.</example>
                            <example correction="same">The <marker>same</marker> stays.</example>
                            <example>Nothing wrong here.</example>
                            <example correction="b">No marker.</example>
                            <example correction="b|c"><marker>a</marker></example></rule>
                        </rulegroup><rule id="ALONE"><example correction="x &amp; y"><marker>x y</marker></example></rule>
                        </category></rules>"""))
                .containsExactly(
                        new Correction(
                                "GROUP/1", "GROUP", "TYPOS", "They lost there keys...", "They lost their keys..."),
                        new Correction("GROUP/5", "GROUP", "TYPOS", "a", "b"),
                        new Correction("ALONE/1", "ALONE", "TYPOS", "x y", "x & y"));
    }

    @Test
    void nothingOutsideTheFileIsRead() {
        String outside = "<!DOCTYPE rules [<!ENTITY file SYSTEM \"file:///etc/hostname\">]><rules><category id=\"C\">"
                + "<rule id=\"R\"><example correction=\"b\">&file;<marker>a</marker></example></rule></category></rules>";

        try {
            assertThat(read(outside)).allMatch(pair -> pair.original().equals("a"));
        } catch (XMLStreamException e) {
            assertThat(e).hasMessageContaining("file");
        }
        assertThatThrownBy(() -> read("<!DOCTYPE rules SYSTEM \"file:///nowhere.dtd\"><rules></rules>"))
                .isInstanceOf(XMLStreamException.class);
    }

    private static List<Correction> read(String xml) throws XMLStreamException {
        return GrammarCorrections.read(new ByteArrayInputStream(xml.getBytes(StandardCharsets.UTF_8)));
    }
}
