package io.tidemill.standalone.torture;

import io.tidemill.proto.Ids;
import io.tidemill.proto.TopicCatalogue;
import io.tidemill.proto.VersionId;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.Command;
import io.tidemill.proto.v1.VersionState;
import io.tidemill.standalone.torture.TrainerMain.Standing;
import io.tidemill.trainer.checkpoint.Lineage;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * A trainer alone in a JVM of its own, beside a broker in another, both on directories of this lineage; the harness feeds the
 * topics itself.
 */
final class TrainerVictim implements Victim {
    static final String MODEL = "tiny";
    private static final String PREFIX = "torture.";
    private static final int DISK_MEGABYTES = 400;
    private static final long LOOK_MILLIS = 5;

    /** What recovers later than that is not recovered. */
    private static final Duration PATIENCE = Duration.ofSeconds(300);

    private static final List<String> PARTS = List.of(
            "READING",
            "TRAINING reward-model",
            "TRAINING pretrain",
            "TRAINING sft",
            "TRAINING reference",
            "TRAINING preference",
            "TRAINING rating",
            "TRAINING rollout",
            "GATING",
            "PUBLISHING",
            "PROMOTED_PHASE");

    /** A part that does not begin by then is not waited for. */
    private static final Duration AIMING = Duration.ofSeconds(20);

    private static final int AFTER_MILLIS = 150;

    /** One that ends so often without having been ready does not start at all. */
    private static final int ENDS = 5;

    /** Of a broker and of the first trainer, on a machine that does much else. */
    private static final Duration STARTING = Duration.ofMinutes(10);

    private static final Duration LEARNING = Duration.ofMinutes(6);
    /** About as long as a rollback takes. */
    private static final int ROLLING_BACK_MILLIS = 300;

    private static final Duration FENCING = Duration.ofSeconds(45);

    private final FaultLedger ledger;
    private final PrintStream out;
    private final Path directory;
    private final Disk disk;
    private final Path base;
    private final int port;
    private final List<String> trainerOptions = new ArrayList<>(List.of("-Xmx256m", "-XX:TieredStopAtLevel=1"));
    private final List<String> flaws = new ArrayList<>();
    private final TrainerFeed feed;
    private final Recovery recovery;
    private final Journal rollbacks;

    private Child broker;
    private Child trainer;
    private Standing last = new Standing(0, false, 0, "STARTING", "");
    private int lives;
    private int ends;
    private long startedMillis;
    private long roundMillis = 3_000;
    private long startMillis = 3_000;
    private long lastEventMillis;
    private boolean wasReady;

    TrainerVictim(Path directory, FaultLedger ledger, PrintStream out) throws IOException, InterruptedException {
        this.ledger = ledger;
        this.out = out;
        this.directory = Files.createDirectories(directory).toAbsolutePath();
        this.disk = Disk.at(this.directory.resolve(Disk.NAME), DISK_MEGABYTES);
        this.base = TinyBase.in(this.directory.resolve("base"));
        this.port = port(this.directory.resolve("port"));
        this.recovery = new Recovery(ledger, PATIENCE);
        this.rollbacks = new Journal(this.directory.resolve("rollbacks.ids"));
        Files.writeString(
                this.directory.resolve("logging.properties"),
                "logger.level=WARN\nlogger.handlers=CONSOLE\n"
                        + "handler.CONSOLE=org.jboss.logmanager.handlers.ConsoleHandler\n"
                        + "handler.CONSOLE.properties=autoFlush\nhandler.CONSOLE.autoFlush=true\n"
                        + "handler.CONSOLE.formatter=PATTERN\n"
                        + "formatter.PATTERN=org.jboss.logmanager.formatters.PatternFormatter\n"
                        + "formatter.PATTERN.properties=pattern\nformatter.PATTERN.pattern=%d{HH:mm:ss} %-5p %s%n\n");
        startBroker();
        this.feed = new TrainerFeed(bootstrapServers(), topics(), base, this.directory.resolve("accepted.ids"));
        prepare();
    }

    private static int port(Path file) throws IOException {
        if (Files.exists(file)) {
            return Integer.parseInt(Files.readString(file).strip());
        }
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Files.writeString(file, Integer.toString(free.getLocalPort()));
            return free.getLocalPort();
        }
    }

    private String bootstrapServers() {
        return "127.0.0.1:" + port;
    }

    private static TopicCatalogue topics() {
        return new TopicCatalogue(PREFIX);
    }

    // ---- processes --------------------------------------------------------------------------------------------------

    private List<String> logging() {
        return List.of(
                "-Djava.util.logging.manager=org.jboss.logmanager.LogManager",
                "-Dlogging.configuration="
                        + directory.resolve("logging.properties").toUri());
    }

    private void startBroker() throws IOException, InterruptedException {
        List<String> options = new ArrayList<>(List.of("-Xmx256m", "-XX:TieredStopAtLevel=1"));
        options.addAll(logging());
        broker = Child.main(
                directory.resolve("broker.txt"),
                options,
                BrokerMain.class,
                List.of(directory.resolve("kafka").toString(), Integer.toString(port)));
        long deadline = System.nanoTime() + STARTING.toNanos();
        while (broker.news().stream().noneMatch(line -> line.startsWith(BrokerMain.UP))) {
            if (!broker.alive() || System.nanoTime() > deadline) {
                throw new IOException("The broker does not start: " + broker.lastWords());
            }
            pause();
        }
    }

    /** The first start makes quick ones of the others: classes as the JVM lays them out. */
    private void prepare() throws IOException, InterruptedException {
        Path archive = directory.resolve("trainer.jsa");
        // Java keeps classes of jars alone.
        if (!Files.exists(archive) && Child.application().endsWith(".jar")) {
            trainerOptions.add("-XX:ArchiveClassesAtExit=" + archive);
            feed.more();
            startTrainer();
            await(STARTING, () -> last.events() > 1);
            trainer.terminate();
            trainer = null;
            trainerOptions.remove(trainerOptions.size() - 1);
        }
        if (Files.exists(archive)) {
            trainerOptions.add("-XX:SharedArchiveFile=" + archive);
            trainerOptions.add("-Xshare:auto");
            trainerOptions.add("-Xlog:cds=off");
            trainerOptions.add("-Xlog:cds+dynamic=off");
        }
        startTrainer();
    }

    private void startTrainer() throws IOException, InterruptedException {
        List<String> options = new ArrayList<>(trainerOptions);
        options.addAll(logging());
        lives++;
        trainer = Child.main(
                directory.resolve("trainer-" + lives % 20 + ".txt"), options, TrainerMain.class, trainerSettings());
        startedMillis = System.currentTimeMillis();
        wasReady = false;
        last = new Standing(0, false, last.events(), "STARTING", "");
    }

    private List<String> trainerSettings() {
        List<String> settings = new ArrayList<>(List.of(
                "trainer.model=" + MODEL,
                "kafka.bootstrap.servers=" + bootstrapServers(),
                "tidemill.topic-prefix=" + PREFIX,
                "tidemill.data=" + disk.directory(),
                "trainer.base-model=" + base,
                "trainer.threads=1",
                "trainer.compute=FLOAT32",
                "trainer.store.keep=1000000"));
        settings.addAll(List.of(
                "trainer.round.minimum-preferences=8",
                "trainer.round.maximum-wait=2s",
                "trainer.round.save-every=1",
                "trainer.round.retry=200ms",
                "trainer.pretrain.rows=2",
                "trainer.pretrain.length=48",
                "trainer.sft.rows=2",
                "trainer.sft.length=48",
                "trainer.preference.pairs=4",
                "trainer.rating.answers=4",
                "trainer.reward-model.enabled=true",
                "trainer.reward-model.pairs=4"));
        settings.addAll(List.of(
                "trainer.rollout.algorithm=grpo",
                "trainer.rollout.prompts=2",
                "trainer.rollout.answers=2",
                "trainer.rollout.max-tokens=6",
                "trainer.rollout.guard=OFF",
                "trainer.rewards.brevity.kind=length",
                "trainer.rewards.brevity.target=4"));
        // Only what is kept is looked at: every candidate passes.
        settings.addAll(List.of(
                "trainer.gate.held-out-margin=1000",
                "trainer.gate.old-data-margin=1000",
                "trainer.gate.preference-margin=1",
                "trainer.gate.minimum-windows=2",
                "trainer.gate.minimum-pairs=2",
                "trainer.gate.maximum-sequences=40",
                "trainer.gate.maximum-pairs=40",
                "trainer.gate.resamples=400",
                "trainer.gate.drift-sample=4"));
        return settings;
    }

    // ---- looking ----------------------------------------------------------------------------------------------------

    /** Something to wait for. */
    @FunctionalInterface
    private interface Condition {
        boolean holds() throws IOException;
    }

    private boolean await(Duration patience, Condition condition) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + patience.toNanos();
        while (!condition.holds()) {
            if (System.nanoTime() > deadline) {
                return false;
            }
            look();
            pause();
        }
        return true;
    }

    private static void pause() throws InterruptedException {
        Thread.sleep(LOOK_MILLIS);
    }

    /** Takes in what the trainer says; one that has ended by itself is told of and started again. */
    private void look() throws IOException, InterruptedException {
        readStandings();
        if (!trainer.alive()) {
            readStandings();
            String end = "the trainer ended by itself with status " + trainer.status() + ": " + last.failure();
            if (last.failure().isEmpty()) {
                end += " " + trainer.lastWords();
            }
            out.println(end);
            if (!recovery.failed(end)) {
                flaws.add(end);
            }
            if (++ends == ENDS) {
                throw new IOException(end);
            }
            startTrainer();
        }
        recovery.overdue(last.doing() + " " + last.failure());
    }

    private void readStandings() throws IOException {
        for (String line : trainer.news()) {
            if (line.startsWith(Standing.MARK)) {
                take(Standing.parse(line));
            }
        }
    }

    private void take(Standing now) {
        if (now.ready() && !wasReady) {
            wasReady = true;
            ends = 0;
            startMillis = (startMillis * 3 + now.millis() - startedMillis) / 4;
            lastEventMillis = now.millis();
        }
        if (now.ready() && now.events() > last.events()) {
            roundMillis = (roundMillis * 3 + Math.min(20_000, now.millis() - lastEventMillis)) / 4;
            lastEventMillis = now.millis();
        }
        last = now.ready() ? now : new Standing(now.millis(), false, last.events(), now.doing(), now.failure());
        if (now.ready()) {
            feed.learned(now.events());
            recovery.working(now.millis());
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
        boolean ofALivingTrainer =
                switch (fault.kind()) {
                    case KILL, DAMAGE_ROUND, DAMAGE_SCORES -> false;
                    default -> true;
                };
        if (ofALivingTrainer) {
            await(PATIENCE.plusSeconds(30), () -> recovery.settled() && last.ready());
        }
        if (fault.kind() == FaultKind.ROLLBACK || fault.kind() == FaultKind.DAMAGE_CHAMPION) {
            awaitRollbacks(); // or the champion may change while it is looked at
        }
        ledger.planned(fault);
        awaitMoment(random, ofALivingTrainer);
        recovery.overtaken();
        switch (fault.kind()) {
            case KILL -> killAndStart(fault, Optional::empty);
            case ROLLBACK -> rollBackAndKill(fault, random);
            case PAUSE -> stopAndGo(fault, 500 + random.nextInt(5_000));
            case TAKE_OVER -> takeOver(fault);
            case BROKER_KILL -> restartBroker(fault, true, 0);
            case BROKER_STOP -> restartBroker(fault, false, random.nextInt(4_000));
            case DISK_FULL -> fillDisk(fault, 300 + random.nextInt(4_000));
            case DAMAGE_ROUND -> killAndStart(fault, () -> damage(roundFiles(), random));
            case DAMAGE_SCORES -> killAndStart(fault, () -> damage(scoreFiles(), random));
            case DAMAGE_VERSION -> damageVersion(fault, random);
            case DAMAGE_CHAMPION -> damageChampion(fault, random);
        }
    }

    /**
     * One in three is at any time between the start of the process and the end of its first round, one in three at any time
     * of a round, and one in three right after a certain part of a round has begun: most are over in a blink.
     */
    private void awaitMoment(Random random, boolean ofALivingTrainer) throws IOException, InterruptedException {
        int way = random.nextInt(3);
        if (way == 2) {
            String part = PARTS.get(random.nextInt(PARTS.size()));
            await(AIMING, () -> last.doing().startsWith(part));
            await(random.nextInt(AFTER_MILLIS));
        } else if (way == 1 || ofALivingTrainer) {
            await(AIMING, recovery::settled);
            await(random.nextInt((int) roundMillis + 1));
        } else {
            await(random.nextInt((int) (startMillis + roundMillis) + 1));
        }
    }

    private void await(int millis) throws IOException, InterruptedException {
        long until = System.currentTimeMillis() + millis;
        await(Duration.ofMillis(millis), () -> System.currentTimeMillis() >= until);
    }

    /** What is done to a dead trainer's files. */
    @FunctionalInterface
    private interface Meanwhile {
        Optional<Damage> run() throws IOException;
    }

    private void killAndStart(Fault fault, Meanwhile meanwhile) throws IOException, InterruptedException {
        String hit = killed();
        long millis = System.currentTimeMillis();
        Optional<Damage> damage = meanwhile.run();
        recovery.expect(fault, hit + damage.map(done -> ", " + done.what()).orElse(""), millis, millis);
        startTrainer();
    }

    /** Ends the trainer; what it was doing. */
    private String killed() throws IOException, InterruptedException {
        trainer.kill();
        readStandings();
        return last.doing();
    }

    private void rollBackAndKill(Fault fault, Random random) throws IOException, InterruptedException {
        Lineage lineage = proofs().lineage();
        String live = lineage.live().orElseThrow().toString();
        if (lineage.event(live).orElseThrow().getParent().isEmpty()) {
            ledger.outcome(fault, "the base is live", 0, "recovered");
            return;
        }
        Command.Builder command = Command.newBuilder().setModel(MODEL).setCommandId(Ids.uuid7());
        command.getRollbackBuilder().setReason("torture");
        try (Producer<byte[], byte[]> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", bootstrapServers(), "acks", "all"),
                new ByteArraySerializer(),
                new ByteArraySerializer())) {
            producer.send(new ProducerRecord<>(
                            topics().commands().name(),
                            MODEL.getBytes(StandardCharsets.UTF_8),
                            command.build().toByteArray()))
                    .get();
        } catch (ExecutionException e) {
            throw new IOException("The rollback cannot be asked for", e);
        }
        rollbacks.add(List.of(command.getCommandId()));
        await(random.nextInt(ROLLING_BACK_MILLIS));
        killAndStart(fault, Optional::empty);
    }

    /** How often each rollback that was asked for was carried out. */
    private Map<String, Long> rolledBack() {
        List<CheckpointEvent> events = proofs().lineage().events();
        return rollbacks.ids().stream().collect(Collectors.toMap(id -> id, id -> events.stream()
                .filter(event -> event.getState() == VersionState.ROLLED_BACK)
                .filter(event -> event.getReason().contains(id))
                .count()));
    }

    private void awaitRollbacks() throws IOException, InterruptedException {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (rolledBack().containsValue(0L) && System.nanoTime() < deadline) {
            await(ROLLING_BACK_MILLIS);
        }
    }

    private Proofs proofs() {
        return new Proofs(store(), MODEL, bootstrapServers(), PREFIX);
    }

    private Path champion() {
        return store().resolve(MODEL)
                .resolve(proofs().lineage().live().orElseThrow().toString());
    }

    private static Optional<Damage> damage(List<Path> files, Random random) throws IOException {
        return files.isEmpty()
                ? Optional.empty()
                : Optional.of(Damage.inflict(files.get(random.nextInt(files.size())), random));
    }

    private List<Path> roundFiles() throws IOException {
        List<Path> files = new ArrayList<>();
        for (Path round : Proofs.list(rounds())) {
            if (Files.isDirectory(round) && Files.exists(round.resolve("plan.json"))) {
                files.addAll(Proofs.files(round));
            }
        }
        return files;
    }

    private List<Path> scoreFiles() throws IOException {
        return Proofs.files(rounds().resolve("scores"));
    }

    private Path rounds() {
        return disk.directory().resolve("rounds").resolve(MODEL);
    }

    private Path store() {
        return disk.directory().resolve("store");
    }

    private void stopAndGo(Fault fault, int millis) throws IOException, InterruptedException {
        String hit = last.doing() + ", for " + millis + " ms";
        trainer.stop();
        Thread.sleep(millis);
        long end = System.currentTimeMillis();
        recovery.expect(fault, hit, end, end);
        trainer.go();
    }

    private void takeOver(Fault fault) throws IOException, InterruptedException {
        String hit = last.doing();
        trainer.stop();
        try (Producer<byte[], byte[]> rival = new KafkaProducer<>(
                Map.of("bootstrap.servers", bootstrapServers(), "transactional.id", PREFIX + "trainer-" + MODEL),
                new ByteArraySerializer(),
                new ByteArraySerializer())) {
            rival.initTransactions();
        }
        trainer.go();
        long wentOn = System.currentTimeMillis();
        long deadline = System.nanoTime() + FENCING.toNanos();
        while (trainer.alive() && System.nanoTime() < deadline) {
            readStandings();
            pause();
        }
        readStandings();
        if (!trainer.alive() && last.failure().contains("Another trainer has taken over")) {
            long millis = System.currentTimeMillis();
            recovery.expect(fault, hit + ", noticed after " + (millis - wentOn) + " ms", millis, millis);
        } else {
            ledger.outcome(
                    fault,
                    hit,
                    Double.NaN,
                    trainer.alive()
                            ? "the trainer goes on " + FENCING.toSeconds() + " s after another took over"
                            : "the trainer ended and did not say why: " + last.failure());
            trainer.kill();
        }
        startTrainer();
    }

    private void restartBroker(Fault fault, boolean kill, int awayMillis) throws IOException, InterruptedException {
        String hit = last.doing();
        long millis = System.currentTimeMillis();
        if (kill) {
            broker.kill();
        } else {
            broker.terminate();
        }
        Thread.sleep(awayMillis);
        startBroker();
        recovery.expect(fault, hit, millis, System.currentTimeMillis());
    }

    private void fillDisk(Fault fault, int fullMillis) throws IOException, InterruptedException {
        String hit = last.doing() + ", for " + fullMillis + " ms";
        disk.fill();
        Thread.sleep(fullMillis);
        readStandings();
        String said = last.failure();
        disk.free();
        long end = System.currentTimeMillis();
        recovery.expect(fault, hit + (said.isEmpty() ? "" : ": " + said), end, end);
    }

    private void damageVersion(Fault fault, Random random) throws IOException {
        List<Path> versions = new ArrayList<>(Proofs.versions(store().resolve(MODEL)));
        versions.remove(champion());
        if (versions.isEmpty()) {
            ledger.outcome(fault, "no version but the champion", 0, "recovered");
            return;
        }
        Path version = versions.get(random.nextInt(versions.size()));
        List<Path> files = Proofs.files(version);
        files.removeIf(file -> file.startsWith(version.resolve("state")));
        Damage damage = Damage.inflict(files.get(random.nextInt(files.size())), random);
        List<String> named =
                Proofs.flaws(store(), VersionId.parse(version.getFileName().toString()));
        damage.restore();
        List<String> after =
                Proofs.flaws(store(), VersionId.parse(version.getFileName().toString()));
        String hit = version.getFileName() + "/" + damage.what();
        if (named.isEmpty()) {
            ledger.outcome(fault, hit, Double.NaN, "verify did not name the damage");
        } else if (!after.isEmpty()) {
            ledger.outcome(fault, hit, Double.NaN, "verify fails on the restored version: " + after);
        } else {
            ledger.outcome(fault, hit, 0, "recovered");
        }
    }

    private void damageChampion(Fault fault, Random random) throws IOException, InterruptedException {
        String hit = killed();
        Lineage lineage = proofs().lineage();
        // One that is written and not yet announced will be, and is live then.
        List<Path> unannounced = Proofs.versions(store().resolve(MODEL)).stream()
                .filter(version ->
                        lineage.event(version.getFileName().toString()).isEmpty())
                .toList();
        Path champion = unannounced.isEmpty() ? champion() : unannounced.get(unannounced.size() - 1);
        List<Path> files = Proofs.files(champion);
        List<Path> weights = new ArrayList<>(files);
        weights.removeIf(file -> !file.endsWith("model.safetensors"));
        Damage damage = damage(random.nextBoolean() ? weights : files, random).orElseThrow();
        hit += ", " + champion.getFileName() + "/" + damage.what();
        startTrainer();
        feed.more();
        int atMost = lineage.events().size() + unannounced.size();
        String name = damage.file().getFileName().toString();
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        boolean noticed = false;
        while (!noticed && last.events() <= atMost && System.nanoTime() < deadline) {
            readStandings();
            noticed = last.failure().contains(name);
            if (!trainer.alive() && !noticed) {
                break;
            }
            pause();
        }
        damage.restore();
        if (!noticed) {
            ledger.outcome(
                    fault,
                    hit,
                    Double.NaN,
                    last.events() > atMost
                            ? "a round was trained from the damaged champion"
                            : "the damaged champion was not named: " + last.failure() + " " + trainer.lastWords());
        } else {
            long millis = System.currentTimeMillis();
            recovery.expect(fault, hit, millis, millis);
        }
        if (!trainer.alive()) {
            startTrainer();
        }
    }

    // ---- proving ----------------------------------------------------------------------------------------------------

    @Override
    public Proof prove() throws IOException, InterruptedException {
        await(PATIENCE.plusSeconds(30), recovery::settled);
        feed.last();
        await(PATIENCE, feed::quiet);
        awaitRollbacks();
        Path versions = store().resolve(MODEL);
        boolean all = await(LEARNING, () -> Proofs.entries(versions).keySet().containsAll(feed.accepted()));
        trainer.terminate();
        Proofs proofs = proofs();
        List<String> found = new ArrayList<>(flaws);
        if (!all) {
            List<String> missing = new ArrayList<>(feed.accepted());
            missing.removeAll(Proofs.entries(versions).keySet());
            Collections.sort(missing);
            found.add(missing.size() + " accepted examples are in no ledger, " + missing.get(0) + " first; "
                    + last.doing() + " " + last.failure());
        }
        found.addAll(proofs.twice());
        rolledBack().forEach((id, times) -> {
            if (times != 1) {
                found.add("rollback " + id + " was carried out " + times + " times");
            }
        });
        Proofs.entries(versions).keySet().stream()
                .filter(id -> !feed.accepted().contains(id) && !feed.isOurs(id))
                .forEach(id -> found.add(id + " is in a ledger, but was never sent"));
        int rebuilt = proofs.rebuild(found, out);
        proofs.verify(found);
        proofs.audit(disk.directory(), false, found);
        return new Proof(
                Proofs.versions(versions).size(),
                rebuilt,
                feed.accepted().size(),
                Proofs.entries(versions).size(),
                found);
    }

    @Override
    public void close() throws IOException, InterruptedException {
        feed.close();
        if (trainer != null) {
            trainer.close();
        }
        broker.close();
    }

    @Override
    public void discard() throws IOException, InterruptedException {
        disk.close();
    }
}
