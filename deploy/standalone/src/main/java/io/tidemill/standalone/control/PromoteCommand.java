package io.tidemill.standalone.control;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Makes a version live by hand. */
@Command(
        name = "promote",
        description = "Makes a version live whose weights are in the store: a candidate, or an older one.")
public final class PromoteCommand implements Callable<Integer> {
    @Mixin
    Operator operator;

    @Parameters(paramLabel = "VERSION", description = "Such as tidemill-000003.")
    String version;

    @Override
    public Integer call() throws InterruptedException {
        System.out.println(operator.outcome(
                Operator.command("promote").put("version", version),
                (loop, id) -> Operator.changedBy(loop, id)
                        .filter(changed -> changed.path("version").asText().equals(version))
                        .findFirst()
                        .map(changed -> version + " is live."),
                Operator.LATER));
        return 0;
    }
}
