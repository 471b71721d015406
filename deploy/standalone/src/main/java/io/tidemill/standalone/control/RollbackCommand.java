package io.tidemill.standalone.control;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Takes the live version back. */
@Command(
        name = "rollback",
        description = {
            "Makes the parent of the live version, or the version named, live again: the same verified files.",
            "What was learned since is tried once more, in halves; the next round starts from what is live."
        })
public final class RollbackCommand implements Callable<Integer> {
    @Mixin
    Operator operator;

    @Parameters(
            arity = "0..1",
            paramLabel = "VERSION",
            description = "Version to go back to (default: the parent of the live one); a candidate or a canary"
                    + " is declined.")
    Optional<String> version = Optional.empty();

    @Option(names = "--reason", paramLabel = "TEXT", description = "Stands in the version's event.")
    Optional<String> reason = Optional.empty();

    @Override
    public Integer call() throws InterruptedException {
        ObjectNode command = Operator.command("rollback");
        version.ifPresent(it -> command.put("version", it));
        reason.ifPresent(it -> command.put("reason", it));
        System.out.println(operator.outcome(command, this::rolledBack, Operator.LATER));
        return 0;
    }

    private Optional<String> rolledBack(JsonNode loop, String command) {
        return Operator.changedBy(loop, command)
                .flatMap(changed -> {
                    String name = changed.path("version").asText();
                    return switch (changed.path("state").asText()) {
                        case "rolled_back" ->
                            Stream.of(name + " is rolled back; "
                                    + version.orElse(changed.path("parent").asText()) + " is live.");
                        case "refused" -> version.filter(name::equals).map(it -> it + " is declined.").stream();
                        default -> Stream.<String>empty();
                    };
                })
                .findFirst();
    }
}
