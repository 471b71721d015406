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
        operator.ask(Operator.command("promote").put("version", version));
        System.out.println("Asked for; ./tidemill checkpoints --follow shows the version that is live from then on.");
        return 0;
    }
}
