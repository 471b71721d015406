package io.tidemill.standalone;

import java.nio.file.Path;
import java.util.concurrent.Callable;
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
    @Mixin
    MillOptions options = new MillOptions();

    @Option(
            names = "--data",
            paramLabel = "DIR",
            defaultValue = "tidemill-data",
            description = "Where everything is kept (default: ./${DEFAULT-VALUE}).")
    Path data;

    @Override
    public Integer call() {
        MillSettings settings = options.settings(data);
        return new Mill(settings, System.err).run(ready -> ready.print(System.out));
    }
}
