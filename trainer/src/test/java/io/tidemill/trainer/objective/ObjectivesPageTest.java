package io.tidemill.trainer.objective;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemill.trainer.objective.ObjectiveDescription.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** docs/objectives.md says what the program does. */
class ObjectivesPageTest {
    private static final Path PAGE = Path.of("..", "docs", "objectives.md");

    private static String tables() {
        StringBuilder text = new StringBuilder();
        for (Kind kind : Kind.values()) {
            text.append("## Learning from ").append(kind.examples()).append("\n\n");
            text.append("| name | what it is | parameters | source |\n|---|---|---|---|\n");
            Objectives.describe().stream().filter(one -> one.kind() == kind).forEach(one -> {
                StringBuilder parameters = new StringBuilder();
                one.parameters().forEach(parameter -> parameters
                        .append(parameters.isEmpty() ? "" : "<br>")
                        .append('`')
                        .append(parameter.name())
                        .append("` ")
                        .append(parameter.defaultValue())
                        .append(": ")
                        .append(parameter.meaning())
                        .append(" (")
                        .append(parameter.accepted())
                        .append(')'));
                text.append("| `")
                        .append(one.name())
                        .append("` | ")
                        .append(one.summary())
                        .append(" | ")
                        .append(parameters)
                        .append(" | ")
                        .append(one.source())
                        .append(" |\n");
            });
            text.append('\n');
        }
        return text.toString();
    }

    @Test
    void thePageHasEveryObjectiveWithItsParametersAndDefaults() throws IOException {
        assertThat(Files.readString(PAGE)).contains(tables());
    }
}
