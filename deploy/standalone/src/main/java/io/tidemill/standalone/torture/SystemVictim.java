package io.tidemill.standalone.torture;

import com.fasterxml.jackson.databind.JsonNode;
import io.tidemill.proto.TopicCatalogue;
import io.tidemill.proto.VersionId;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The whole mill in a process, as {@code ./tidemill up} starts it, and a client that goes on posting whatever happens. */
final class SystemVictim implements Victim {
    private static final String MODEL = "tiny";

    /** The mill starts on 1 GiB at least, and stops in order when less than 128 MiB are left. */
    private static final int DISK_MEGABYTES = 1_800;

    /** One that ends so often without having been ready does not start at all. */
    private static final int ENDS = 5;

    private static final Duration PATIENCE = Duration.ofSeconds(480);
    private static final Duration LEARNING = Duration.ofMinutes(8);
    private static final Pattern PAGE = Pattern.compile("page and REST +(\\S+)");
    private static final Pattern KAFKA = Pattern.compile("Kafka +(\\S+)");
    private static final long LOOK_MILLIS = 50;

    private final FaultLedger ledger;
    private final PrintStream out;
    private final Path directory;
    private final Disk disk;
    private final Path base;
    private final Recovery recovery;
    private final SystemFeed feed;
    private final List<String> flaws = new ArrayList<>();

    private Child mill;
    private int lives;
    private int ends;
    private boolean starting;
    private String url = "";
    private String bootstrapServers = "";
    private String doing = "starting";
    private String failure = "";
    private long rounds;
    private long startedMillis;
    private long startMillis = 12_000;
    private long roundMillis = 4_000;
    private long roundSince;

    SystemVictim(Path directory, FaultLedger ledger, PrintStream out) throws IOException, InterruptedException {
        this.ledger = ledger;
        this.out = out;
        this.directory = Files.createDirectories(directory).toAbsolutePath();
        this.disk = Disk.at(this.directory.resolve(Disk.NAME), DISK_MEGABYTES);
        this.base = TinyBase.in(this.directory.resolve(MODEL));
        this.recovery = new Recovery(ledger, PATIENCE);
        this.feed = new SystemFeed(this.directory, MODEL);
        endOrphan(this.directory);
        start();
    }

    /** A mill that a killed harness left behind. */
    static void endOrphan(Path directory) throws IOException, InterruptedException {
        Path pid = directory.resolve("pid");
        if (!Files.exists(pid)) {
            return;
        }
        Optional<ProcessHandle> orphan = ProcessHandle.of(
                        Long.parseLong(Files.readString(pid).strip()))
                .filter(process -> process.info().commandLine().orElse("").contains(directory.toString()));
        if (orphan.isPresent()) {
            orphan.get().destroyForcibly();
            while (orphan.get().isAlive()) {
                Thread.sleep(LOOK_MILLIS);
            }
        }
    }

    private void start() throws IOException {
        List<String> options = new ArrayList<>(
                List.of("-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+IgnoreUnrecognizedVMOptions", "-Xshare:auto"));
        lives++;
        mill = Child.tidemill(
                directory.resolve("mill-" + lives % 20 + ".txt"),
                options,
                List.of(
                        "up",
                        "--data",
                        disk.directory().toString(),
                        "--port",
                        "0",
                        "--kafka-port",
                        "0",
                        "--model",
                        base.toString(),
                        "-Dtrainer.round.minimum-preferences=10",
                        "-Dtrainer.round.maximum-wait=PT2S",
                        "-Dtrainer.round.save-every=1",
                        "-Dtrainer.round.retry=PT1S",
                        "-Dtrainer.store.keep=1000000",
                        "-Dtrainer.threads=1",
                        "-Dtrainer.preference.pairs=2",
                        "-Dtrainer.preference.epochs=2",
                        // Only what is kept is looked at: every candidate passes.
                        "-Dtrainer.gate.held-out-margin=100",
                        "-Dtrainer.gate.old-data-margin=100",
                        "-Dtrainer.gate.preference-margin=1",
                        "-Dtrainer.gate.drift-sample=4"));
        Files.writeString(directory.resolve("pid"), Long.toString(mill.pid()));
        startedMillis = System.currentTimeMillis();
        starting = true;
        doing = "starting";
    }

    // ---- looking ----------------------------------------------------------------------------------------------------

    /** Something to wait for. */
    @FunctionalInterface
    private interface Condition {
        boolean holds() throws IOException, InterruptedException;
    }

    private boolean await(Duration patience, Condition condition) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + patience.toNanos();
        while (!condition.holds()) {
            if (System.nanoTime() > deadline) {
                return false;
            }
            look();
            Thread.sleep(LOOK_MILLIS);
        }
        return true;
    }

    private void look() throws IOException, InterruptedException {
        readTerminal();
        if (!mill.alive()) {
            String end = "the mill ended by itself with status " + mill.status() + ": " + mill.lastWords();
            out.println(end);
            if (!recovery.failed(end)) {
                flaws.add(end);
            }
            if (++ends == ENDS) {
                throw new IOException(end);
            }
            start();
        } else if (!starting) {
            ask();
        }
        recovery.overdue(doing + " " + failure);
    }

    private void readTerminal() throws IOException {
        for (String line : mill.news()) {
            Matcher page = PAGE.matcher(line);
            Matcher kafka = KAFKA.matcher(line);
            if (page.find()) {
                url = page.group(1);
            } else if (kafka.find()) {
                bootstrapServers = kafka.group(1);
                if (starting) {
                    starting = false;
                    ends = 0;
                    startMillis = (startMillis * 3 + System.currentTimeMillis() - startedMillis) / 4;
                    feed.mill(url);
                }
            }
        }
    }

    /** What the trainer is doing; an answer is a sign of work. */
    private void ask() throws InterruptedException {
        try {
            JsonNode round = feed.get("/v1/rounds");
            long now = System.currentTimeMillis();
            String phase = round.path("phase").asText();
            doing = phase
                    + (phase.equals("TRAINING") ? " " + round.path("stage").asText() : "");
            failure = phase.equals("FAILED") ? round.path("message").asText() : "";
            if (round.path("round").asLong() > rounds) {
                rounds = round.path("round").asLong();
                if (roundSince > 0) {
                    roundMillis = (roundMillis * 3 + Math.min(30_000, now - roundSince)) / 4;
                }
                roundSince = now;
            }
            if (!phase.isEmpty() && !phase.equals("FAILED")) {
                recovery.working(now);
            }
        } catch (IOException away) {
            doing = "away";
        }
    }

    // ---- suffering --------------------------------------------------------------------------------------------------

    @Override
    public boolean allows(FaultKind kind) {
        return kind != FaultKind.DISK_FULL || disk.small();
    }

    @Override
    public void suffer(Fault fault) throws IOException, InterruptedException {
        Random random = fault.random();
        boolean kill = fault.kind() == FaultKind.KILL;
        if (!kill) {
            await(PATIENCE.plusSeconds(30), () -> !starting && recovery.settled());
        }
        ledger.planned(fault);
        long moment = random.nextInt((int) (kill ? startMillis + roundMillis : roundMillis) + 1);
        long until = System.currentTimeMillis() + moment;
        await(Duration.ofMillis(moment), () -> System.currentTimeMillis() >= until);
        recovery.overtaken();
        switch (fault.kind()) {
            case KILL -> killAndStart(fault, Optional::empty);
            case PAUSE -> stopAndGo(fault, 1_000 + random.nextInt(14_000));
            case DISK_FULL -> fillDisk(fault, random);
            case DAMAGE_ROUND -> killAndStart(fault, () -> damage(roundFiles(), random));
            case DAMAGE_SCORES -> killAndStart(fault, () -> damage(Proofs.files(rounds().resolve("scores")), random));
            case DAMAGE_VERSION -> damageVersion(fault, random);
            case DAMAGE_CHAMPION -> damageChampion(fault, random);
            default -> throw new IllegalStateException(fault.kind() + " is no fault of a whole mill");
        }
    }

    /** What is done to a dead mill's files. */
    @FunctionalInterface
    private interface Meanwhile {
        Optional<Damage> run() throws IOException;
    }

    private void killAndStart(Fault fault, Meanwhile meanwhile) throws IOException, InterruptedException {
        String hit = doing;
        mill.kill();
        long millis = System.currentTimeMillis();
        Optional<Damage> damage = meanwhile.run();
        recovery.expect(fault, hit + damage.map(done -> ", " + done.what()).orElse(""), millis, millis);
        start();
    }

    private static Optional<Damage> damage(List<Path> files, Random random) throws IOException {
        return files.isEmpty()
                ? Optional.empty()
                : Optional.of(Damage.inflict(files.get(random.nextInt(files.size())), random));
    }

    private Path rounds() {
        return disk.directory().resolve("rounds").resolve(MODEL);
    }

    private Path store() {
        return disk.directory().resolve("store");
    }

    private List<Path> roundFiles() throws IOException {
        List<Path> files = new ArrayList<>();
        for (Path round : Proofs.list(rounds())) {
            if (Files.exists(round.resolve("plan.json"))) {
                files.addAll(Proofs.files(round));
            }
        }
        return files;
    }

    private void stopAndGo(Fault fault, int millis) throws IOException, InterruptedException {
        String hit = doing + ", for " + millis + " ms";
        mill.stop();
        Thread.sleep(millis);
        long end = System.currentTimeMillis();
        recovery.expect(fault, hit, end, end);
        mill.go();
    }

    /** The mill must end by itself, in order or where it stands, and go on when there is room again. */
    private void fillDisk(Fault fault, Random random) throws IOException, InterruptedException {
        String hit = doing;
        disk.fill();
        long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
        while (mill.alive() && System.nanoTime() < deadline) {
            readTerminal();
            Thread.sleep(LOOK_MILLIS);
        }
        boolean ended = !mill.alive();
        boolean said = mill.lastWords().contains("make room");
        if (!ended) {
            mill.kill();
        }
        Thread.sleep(random.nextInt(2_000));
        disk.free();
        long end = System.currentTimeMillis();
        if (ended && said) {
            recovery.expect(fault, hit, end, end);
        } else {
            ledger.outcome(
                    fault,
                    hit,
                    Double.NaN,
                    ended
                            ? "the mill ended without saying that its disk is full: " + mill.lastWords()
                            : "the mill did not end in 60 s on a full disk");
        }
        start();
    }

    private void damageVersion(Fault fault, Random random) throws IOException {
        List<Path> versions = new ArrayList<>(Proofs.versions(store().resolve(MODEL)));
        versions.remove(Proofs.champion(store().resolve(MODEL)));
        if (versions.isEmpty()) {
            ledger.outcome(fault, "no version but the champion", 0, "recovered");
            return;
        }
        Path version = versions.get(random.nextInt(versions.size()));
        List<Path> files = Proofs.files(version);
        files.removeIf(file -> file.startsWith(version.resolve("state")));
        Damage damage = Damage.inflict(files.get(random.nextInt(files.size())), random);
        VersionId id = VersionId.parse(version.getFileName().toString());
        List<String> named = Proofs.flaws(store(), id);
        damage.restore();
        String hit = version.getFileName() + "/" + damage.what();
        if (named.isEmpty()) {
            ledger.outcome(fault, hit, Double.NaN, "verify did not name the damage");
        } else {
            ledger.outcome(fault, hit, 0, "recovered");
        }
    }

    private void damageChampion(Fault fault, Random random) throws IOException, InterruptedException {
        String hit = doing;
        mill.kill();
        List<Path> versions = Proofs.versions(store().resolve(MODEL));
        Path champion = Proofs.champion(store().resolve(MODEL));
        Damage damage = Damage.inflict(champion.resolve("model.safetensors"), random);
        hit += ", " + champion.getFileName() + "/" + damage.what();
        start();
        boolean noticed = await(
                        PATIENCE,
                        () -> failure.contains("model.safetensors")
                                || Proofs.versions(store().resolve(MODEL)).size() > versions.size())
                && failure.contains("model.safetensors");
        damage.restore();
        if (noticed) {
            long millis = System.currentTimeMillis();
            recovery.expect(fault, hit, millis, millis);
        } else {
            ledger.outcome(fault, hit, Double.NaN, "the damaged champion was not named before a round ended on it");
        }
    }

    // ---- proving ----------------------------------------------------------------------------------------------------

    @Override
    public Proof prove() throws IOException, InterruptedException {
        await(PATIENCE.plusSeconds(30), () -> !starting && recovery.settled());
        Thread.sleep(3_000); // something more after the last fault
        feed.pause();
        List<String> found = new ArrayList<>(flaws);
        Path versions = store().resolve(MODEL);
        Set<String> accepted = feed.accepted();
        boolean all = await(LEARNING, () -> {
            if (starting) {
                return false;
            }
            Examples examples = Examples.read(bootstrapServers);
            Set<String> made = new TreeSet<>(examples.parents().keySet());
            made.removeAll(Proofs.entries(versions).keySet());
            return examples.unaccounted(accepted).isEmpty() && made.isEmpty();
        });
        Examples examples = Examples.read(bootstrapServers);
        Map<String, List<String>> learned = Proofs.entries(versions);
        if (!all) {
            Set<String> missing = new TreeSet<>(examples.unaccounted(accepted));
            Set<String> waiting = new TreeSet<>(examples.parents().keySet());
            waiting.removeAll(learned.keySet());
            found.add(missing.size() + " accepted records became no example and were not rejected "
                    + missing.stream().limit(3).toList() + ", " + waiting.size() + " examples are in no ledger "
                    + waiting.stream().limit(3).toList() + "; " + doing + " " + failure);
        }
        Set<String> sent = feed.sent();
        for (String id : learned.keySet()) {
            List<String> parents = examples.parents().getOrDefault(id, List.of());
            if (parents.stream().noneMatch(sent::contains)) {
                found.add(id + " is in a ledger, but none of its parents " + parents + " was ever sent");
            }
        }
        examples.byParent().forEach((parent, made) -> {
            if (made.size() > 1 && !parent.contains("/")) {
                found.add(parent + " became several examples: " + made);
            }
        });
        Proofs proofs = new Proofs(store(), MODEL, bootstrapServers, TopicCatalogue.DEFAULT_PREFIX);
        found.addAll(proofs.twice());
        int rebuilt = proofs.rebuild(found, out);
        proofs.verify(found);
        proofs.audit(disk.directory(), true, found);
        mill.terminate();
        return new Proof(Proofs.versions(versions).size(), rebuilt, accepted.size(), learned.size(), found);
    }

    @Override
    public void close() throws IOException, InterruptedException {
        feed.close();
        mill.close();
    }

    @Override
    public void discard() throws IOException, InterruptedException {
        disk.close();
    }
}
