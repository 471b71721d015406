package io.tidemill.standalone.checkpoints;

import io.tidemill.proto.checkpoint.AdapterMerger;
import io.tidemill.proto.checkpoint.CheckpointClient;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.VersionState;
import io.tidemill.standalone.CannotStartException;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "checkpoints",
        description = "Lists the versions of a running mill with the gate's verdicts, follows them, or fetches one.")
public final class CheckpointsCommand implements Callable<Integer> {
    private static final Duration PAUSE = Duration.ofSeconds(1);

    @Option(
            names = "--url",
            paramLabel = "URL",
            defaultValue = "http://127.0.0.1:8080",
            description = "Where the mill, or its trainer, listens (default: ${DEFAULT-VALUE}).")
    URI url;

    @Option(names = "--follow", description = "Go on with a line for every new version, until Ctrl-C.")
    boolean follow;

    @Option(
            names = "--download",
            paramLabel = "DIR",
            description = "Fetch a version into DIR/VERSION, a Hugging Face directory; every file's digest is checked."
                    + " What changed little since its parent in DIR comes as a delta.")
    Optional<Path> download = Optional.empty();

    @Option(
            names = "--merge",
            description =
                    "Make the weights of a version that trained an adapter of its parent in DIR and the adapter, where"
                            + " that gives the announced digests; they are not fetched then. For decoders published in float32.")
    boolean merge;

    @Parameters(
            arity = "0..1",
            paramLabel = "VERSION",
            description = "Version to fetch (default: the newest promoted one).")
    Optional<String> version = Optional.empty();

    private final PrintStream out = System.out;

    @Override
    public Integer call() throws InterruptedException {
        HttpClient http =
                HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();
        CheckpointList list = new CheckpointList(http, url);
        if (download.isPresent()) {
            Optional<AdapterMerger> merger = merge ? Optional.of(MergedWeights::merge) : Optional.empty();
            return download(new CheckpointClient(http, Optional.of(url), merger), list);
        }
        List<CheckpointEvent> events = fetch(list);
        out.println(CheckpointLines.HEADING);
        events.forEach(event -> out.println(CheckpointLines.of(event)));
        if (follow) {
            follow(list, events);
        }
        return 0;
    }

    private int download(CheckpointClient client, CheckpointList list) throws InterruptedException {
        List<CheckpointEvent> events = fetch(list);
        CheckpointEvent event = chosen(events);
        try {
            Path directory = client.download(event, download.orElseThrow().toAbsolutePath(), path -> true);
            out.println(directory);
            return 0;
        } catch (IOException e) {
            throw new CannotStartException(event.getVersion() + " could not be fetched: " + e.getMessage(), e);
        }
    }

    private CheckpointEvent chosen(List<CheckpointEvent> events) {
        Optional<CheckpointEvent> found = version.isPresent()
                ? events.stream()
                        .filter(event -> event.getVersion().equals(version.get()))
                        .findFirst()
                : events.stream()
                        .filter(event -> event.getState() == VersionState.PROMOTED)
                        .reduce((older, newer) -> newer);
        return found.orElseThrow(() -> new CannotStartException(url + " has no "
                + version.map(v -> "version " + v).orElse("promoted version") + "; it lists "
                + events.stream().map(CheckpointEvent::getVersion).toList() + "."));
    }

    private void follow(CheckpointList list, List<CheckpointEvent> seenBefore) throws InterruptedException {
        Set<String> seen = new HashSet<>();
        seenBefore.forEach(event -> seen.add(key(event)));
        boolean reachable = true;
        while (true) {
            Thread.sleep(PAUSE.toMillis());
            try {
                for (CheckpointEvent event : list.fetch()) {
                    if (seen.add(key(event))) {
                        out.println(CheckpointLines.of(event));
                    }
                }
                reachable = true;
            } catch (IOException e) {
                if (reachable) {
                    System.err.println("tidemill: " + e.getMessage() + "; still asking.");
                }
                reachable = false;
            }
        }
    }

    private static String key(CheckpointEvent event) {
        return event.getVersion() + " " + event.getState();
    }

    private static List<CheckpointEvent> fetch(CheckpointList list) throws InterruptedException {
        try {
            return list.fetch();
        } catch (IOException e) {
            throw new CannotStartException(e.getMessage() + ". Is a mill running there? --url names another place.", e);
        }
    }
}
