package io.tidemill.standalone;

import io.quarkus.runtime.Quarkus;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "up",
        description = {
            "Starts everything in this process: Kafka on disk, ingest, preprocessing, trainer, chat and page.",
            "Runs until Ctrl-C; the next start on the same directory goes on where it ended."
        })
final class UpCommand implements Callable<Integer> {
    private static final long TRY_OUT_SECONDS = 120;

    @Mixin
    MillOptions options = new MillOptions();

    @Option(
            names = "--data",
            paramLabel = "DIR",
            defaultValue = "tidemill-data",
            description = "Where everything is kept (default: ./${DEFAULT-VALUE}).")
    Path data;

    @Option(
            names = "--until-ready",
            description = "End as soon as everything is ready: tries out an installation. Exit status 1 when that"
                    + " takes more than two minutes.")
    boolean untilReady;

    @Override
    public Integer call() {
        MillSettings settings = options.settings(data);
        if (untilReady) {
            CompletableFuture.delayedExecutor(TRY_OUT_SECONDS, TimeUnit.SECONDS).execute(() -> Quarkus.asyncExit(1));
        }
        return new Mill(settings, System.err).run(mill -> {
            mill.print(System.out);
            if (untilReady) {
                Quarkus.asyncExit(0);
            }
        });
    }
}
