package io.tidemill.model.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemill.model.engine.EncoderConfig;
import io.tidemill.model.engine.Safetensors;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PullTest {
    private static final String WEIGHTS = "model.safetensors";
    private static final String TOKEN = "hf_secretSECRET";

    @TempDir
    Path parent;

    private final FakeHub hub = new FakeHub();
    private final FakeHub elsewhere = new FakeHub(); // another host
    private final ByteArrayOutputStream said = new ByteArrayOutputStream();
    private final List<Duration> pauses = new ArrayList<>();
    private long freeBytes = Long.MAX_VALUE;
    private Duration patience = Duration.ofSeconds(30);

    @BeforeEach
    void fill() throws IOException {
        hub.put("config.json", config().toJson());
        hub.put("tokenizer.json", "{}");
        hub.put("tokenizer_config.json", "{}");
        hub.put("special_tokens_map.json", "{}");
        hub.put("chat_template.jinja", "{{ messages }}");
        hub.files.put(WEIGHTS, weights(40_000));
    }

    @AfterEach
    void close() {
        hub.close();
        elsewhere.close();
    }

    // ---- what comes -------------------------------------------------------------------------------------------------

    @Test
    void whatTidemillReadsComesAndNothingElse() throws IOException {
        List<String> wanted = List.copyOf(hub.files.keySet());
        for (String other : List.of(
                "README.md",
                ".gitattributes",
                "pytorch_model.bin",
                "model.onnx",
                "vocab.txt",
                "consolidated.safetensors")) {
            hub.put(other, "not read");
        }
        hub.put("onnx/config.json", "not read either");

        Path directory = pull("main");

        assertThat(hub.downloads()).containsExactlyInAnyOrderElementsOf(wanted);
        assertThat(names(directory)).containsExactlyInAnyOrderElementsOf(with(wanted, PullDirectory.SOURCE));
        for (String name : wanted) {
            assertThat(Files.readAllBytes(directory.resolve(name))).isEqualTo(hub.files.get(name));
        }
        assertThat(names(parent)).containsExactly("mill");
    }

    @Test
    void filesAreAskedForByCommitEvenIfABranchWasNamed() throws IOException {
        pull("release/1.0");
        assertThat(hub.asked.get(0).path()).isEqualTo("/api/models/tide/mill/revision/release%2F1.0");
        assertThat(hub.askedFor(WEIGHTS).get(0).path()).isEqualTo("/tide/mill/resolve/" + hub.commit + "/" + WEIGHTS);
    }

    @Test
    void aSecondPullOfTheSameRevisionDownloadsNothing() throws IOException {
        Path directory = pull("main");
        hub.asked.clear();
        assertThat(pull("main")).isEqualTo(directory);
        assertThat(hub.downloads()).isEmpty();
        assertThat(said()).contains("already");
    }

    @Test
    void aFileThatWasDamagedHereComesAgainAndOnlyThat() throws IOException {
        Path directory = pull("main");
        byte[] damaged = hub.files.get(WEIGHTS).clone();
        damaged[damaged.length - 1] ^= 1;
        Files.write(directory.resolve(WEIGHTS), damaged);
        hub.asked.clear();
        pull("main");
        assertThat(hub.downloads()).containsExactly(WEIGHTS);
        assertThat(Files.readAllBytes(directory.resolve(WEIGHTS))).isEqualTo(hub.files.get(WEIGHTS));
    }

    @Test
    void anotherRevisionReplacesTheDirectoryAndOnlyWhatChangedComes() throws IOException {
        Path directory = pull("main");
        hub.commit = "f".repeat(40);
        hub.put("tokenizer_config.json", "{\"new\": 1}");
        hub.files.remove("chat_template.jinja");
        hub.asked.clear();
        pull("main");
        assertThat(hub.downloads()).containsExactly("tokenizer_config.json");
        assertThat(directory.resolve("tokenizer_config.json")).hasContent("{\"new\": 1}");
        assertThat(directory.resolve("chat_template.jinja")).doesNotExist();
        assertThat(names(parent)).containsExactly("mill");
    }

    @Test
    void shardsAreTheOnesThatTheIndexNames() throws IOException {
        shard();
        hub.files.put("model-00009-of-00009.safetensors", weights(1));
        Path directory = pull("main");
        assertThat(names(directory))
                .contains("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", Names.INDEX)
                .doesNotContain("model-00009-of-00009.safetensors");
        try (Safetensors.Reader reader = Safetensors.open(directory)) {
            assertThat(reader.floats("b")).hasSize(20);
        }
    }

    // ---- what is cut ------------------------------------------------------------------------------------------------

    @Test
    void aCutConnectionIsGoneOnWithWhereItWas() throws IOException {
        hub.trouble(WEIGHTS, hub.cutAfter(70_000));
        hub.trouble(WEIGHTS, hub.cutAfter(50_000));
        Path directory = pull("main");
        List<FakeHub.Asked> asked = hub.askedFor(WEIGHTS);
        assertThat(asked).hasSize(3);
        assertThat(asked.get(0).range()).isEmpty();
        assertThat(asked.get(1).range()).contains("bytes=70000-");
        assertThat(asked.get(2).range()).contains("bytes=120000-");
        assertThat(asked.get(2).ifRange()).isPresent();
        assertThat(Files.readAllBytes(directory.resolve(WEIGHTS))).isEqualTo(hub.files.get(WEIGHTS));
        assertThat(pauses).containsExactly(Duration.ofSeconds(1), Duration.ofSeconds(1));
    }

    @Test
    void aServerThatNeverGetsFurtherIsGivenUpAndTheNextPullGoesOn() throws IOException {
        hub.trouble(WEIGHTS, hub.cutAfter(70_000));
        for (int i = 0; i < 5; i++) {
            hub.trouble(WEIGHTS, hub.cutAfter(0));
        }
        assertRefused(() -> pull("main"), WEIGHTS + " broke off after 70000 of", "what is here is kept");
        assertThat(pauses.stream().mapToLong(Duration::toSeconds)).containsExactly(1L, 2L, 4L, 8L);
        assertThat(parent.resolve("mill")).doesNotExist();

        hub.troubles.clear();
        hub.asked.clear();
        pull("main");
        assertThat(hub.downloads()).containsExactly(WEIGHTS);
        assertThat(hub.askedFor(WEIGHTS).get(0).range()).contains("bytes=70000-");
    }

    @Test
    void aServerThatIgnoresRangesMakesTheFileBeginAgain() throws IOException {
        hub.ranges = false;
        hub.trouble(WEIGHTS, hub.cutAfter(70_000));
        Path directory = pull("main");
        assertThat(hub.askedFor(WEIGHTS)).hasSize(2);
        assertThat(Files.readAllBytes(directory.resolve(WEIGHTS))).isEqualTo(hub.files.get(WEIGHTS));
    }

    @Test
    void aRangeOfOtherContentThanBeforeIsNotPutBehindIt() throws IOException {
        hub.trouble(WEIGHTS, hub.cutAfter(70_000));
        hub.trouble(WEIGHTS, (exchange, content) -> {
            exchange.getResponseHeaders().set("ETag", "\"another\"");
            exchange.getResponseHeaders()
                    .set("Content-Range", "bytes 70000-" + (content.length - 1) + "/" + content.length);
            byte[] other = new byte[content.length - 70_000];
            FakeHub.answer(exchange, 206, other, other.length);
        });
        Path directory = pull("main");
        assertThat(hub.askedFor(WEIGHTS)).hasSize(3);
        assertThat(hub.askedFor(WEIGHTS).get(2).range()).isEmpty();
        assertThat(Files.readAllBytes(directory.resolve(WEIGHTS))).isEqualTo(hub.files.get(WEIGHTS));
    }

    @Test
    void aRangeThatDoesNotFollowOnIsRefusedAndTheFileBeginsAgain() throws IOException {
        hub.trouble(WEIGHTS, hub.cutAfter(70_000));
        hub.trouble(WEIGHTS, (exchange, content) -> {
            exchange.getResponseHeaders()
                    .set("Content-Range", "bytes 0-" + (content.length - 1) + "/" + content.length);
            FakeHub.answer(exchange, 206, content, content.length);
        });
        hub.trouble(WEIGHTS, hub.cutAfter(60_000));
        hub.trouble(WEIGHTS, FakeHub.status(416));
        Path directory = pull("main");
        assertThat(hub.askedFor(WEIGHTS)).hasSize(5);
        assertThat(Files.readAllBytes(directory.resolve(WEIGHTS))).isEqualTo(hub.files.get(WEIGHTS));
    }

    @Test
    void whatIsHereOfOtherContentIsFoundOutByTheDigestAndThrownAway() throws IOException {
        HubFile file = HubListing.parse(FakeHub.MODEL, "main", listed()).files().get(WEIGHTS);
        Path aside = Files.createDirectory(parent.resolve(".mill.pull"));
        Files.write(Download.part(aside, file), new byte[50_000]);
        Path directory = pull("main");
        assertThat(hub.askedFor(WEIGHTS)).hasSize(2);
        assertThat(Files.readAllBytes(directory.resolve(WEIGHTS))).isEqualTo(hub.files.get(WEIGHTS));
    }

    @Test
    void whatAnOlderPullLeftAsideDoesNotEndUpInTheDirectory() throws IOException {
        Path aside = Files.createDirectory(parent.resolve(".mill.pull"));
        Files.writeString(aside.resolve("chat_template.json"), "of another revision");
        Files.writeString(aside.resolve("0".repeat(64) + ".part"), "of another file");
        Path directory = pull("main");
        assertThat(names(directory))
                .containsExactlyInAnyOrderElementsOf(with(List.copyOf(hub.files.keySet()), PullDirectory.SOURCE));
    }

    @Test
    void aBodyThatGivesNothingIsGivenUp() throws IOException {
        patience = Duration.ofMillis(300);
        CountDownLatch over = new CountDownLatch(1);
        hub.trouble(WEIGHTS, (exchange, content) -> {
            exchange.sendResponseHeaders(200, content.length);
            exchange.getResponseBody().write(content, 0, 1000);
            exchange.getResponseBody().flush();
            try {
                over.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        try {
            pull("main");
            assertThat(hub.askedFor(WEIGHTS).get(1).range()).contains("bytes=1000-");
            assertThat(said()).contains("nothing came");
        } finally {
            over.countDown();
        }
    }

    // ---- what is not what it should be ------------------------------------------------------------------------------

    @Test
    void aFileWithAnotherDigestIsRefusedAndNothingOfItKept() throws IOException {
        hub.trouble(WEIGHTS, (exchange, content) -> {
            byte[] other = content.clone();
            other[100] ^= 1;
            FakeHub.answer(exchange, 200, other, other.length);
        });
        assertRefused(() -> pull("main"), WEIGHTS, "instead of SHA-256 " + FakeHub.sha256(hub.files.get(WEIGHTS)));
        assertThat(parent.resolve("mill")).doesNotExist();
        assertThat(names(parent.resolve(".mill.pull")))
                .doesNotContain(WEIGHTS)
                .noneMatch(name -> name.endsWith(".part"));
    }

    @Test
    void aSmallFileIsCheckedByGitsName() {
        hub.trouble("config.json", (exchange, content) -> {
            byte[] other = content.clone();
            other[other.length - 3] ^= 1;
            FakeHub.answer(exchange, 200, other, other.length);
        });
        assertRefused(() -> pull("main"), "config.json", "instead of SHA-1 ");
    }

    @Test
    void aFileOfAnotherLengthThanListedIsRefused() {
        hub.trouble(
                WEIGHTS,
                (exchange, content) ->
                        FakeHub.answer(exchange, 200, Arrays.copyOf(content, content.length + 1), content.length + 1));
        assertRefused(() -> pull("main"), WEIGHTS, "comes with 160073 bytes, but the hub lists 160072");
        hub.trouble(
                WEIGHTS,
                (exchange, content) -> FakeHub.answer(exchange, 200, Arrays.copyOf(content, 160_071), 160_071));
        assertRefused(() -> pull("main"), WEIGHTS, "comes with 160071 bytes, but the hub lists 160072");
    }

    @Test
    void aBodyWithoutEndIsStopped() {
        hub.trouble(WEIGHTS, (exchange, content) -> {
            exchange.sendResponseHeaders(200, 0); // chunked
            try {
                while (true) {
                    exchange.getResponseBody().write(content);
                }
            } catch (IOException clientHasGone) {
                // as it should
            }
        });
        assertThatThrownBy(() -> pull("main"))
                .isInstanceOf(HubException.class) // at the first buffer that is too much
                .hasMessageMatching(
                        WEIGHTS + " of tide/mill comes with at least (1|2)\\d{5} bytes, but the hub lists 160072");
    }

    @Test
    void weightsWhoseHeaderLiesAreRefusedBeforeTheDirectoryIsThere() {
        hub.put(WEIGHTS, "this is no safetensors file");
        assertRefused(() -> pull("main"), "The weights cannot be used", WEIGHTS);
        assertThat(parent.resolve("mill")).doesNotExist();
    }

    @Test
    void aConfigurationThatIsNotSupportedIsRefusedByFieldAndValueBeforeTheWeightsCome() {
        hub.put("config.json", config().toJson().replace("\"gelu\"", "\"gelu_fast\""));
        assertRefused(() -> pull("main"), "tide/mill cannot be used: config.json: hidden_act is \"gelu_fast\"");
        hub.put("config.json", "{\"model_type\": \"mamba\"}");
        assertRefused(() -> pull("main"), "model_type is \"mamba\"");
        assertThat(hub.downloads()).doesNotContain(WEIGHTS);
    }

    @Test
    void picklesAreRefusedInOneSentenceThatSaysWhy() {
        hub.files.remove(WEIGHTS);
        hub.put("pytorch_model.bin", "…");
        assertRefused(() -> pull("main"), "pytorch_model.bin, a pickle, which can run code when it is read");
        hub.files.remove("pytorch_model.bin");
        hub.put("model.gguf", "…");
        assertRefused(
                () -> pull("main"), "neither model.safetensors nor model.safetensors.index.json; it has model.gguf");
        hub.put("adapter_model.safetensors", "…");
        assertRefused(() -> pull("main"), "is an adapter");
        assertThat(hub.downloads()).isEmpty();
    }

    @Test
    void aModelWithoutFastTokenizerIsRefused() {
        hub.files.remove("tokenizer.json");
        assertRefused(() -> pull("main"), "has no tokenizer.json");
    }

    // ---- what is not trusted ----------------------------------------------------------------------------------------

    @Test
    void noNameFromTheServerLeadsOutOfTheDirectory() throws IOException {
        for (String name : List.of(
                "../config.json",
                "../../model.safetensors",
                "/tmp/tidemill-evil.safetensors",
                "a/../../tokenizer.json",
                "..\\model.safetensors",
                "C:\\model.safetensors",
                ".hidden.safetensors",
                "..")) {
            hub.put(name, "evil");
        }
        Path directory = pull("main");
        assertThat(names(parent)).containsExactly("mill");
        assertThat(hub.asked.stream().map(FakeHub.Asked::path)).noneMatch(path -> path.contains(".."));
        assertThat(Files.readAllBytes(directory.resolve(WEIGHTS))).isEqualTo(hub.files.get(WEIGHTS));
    }

    @Test
    void anIndexThatNamesAFileElsewhereIsRefused() throws IOException {
        shard();
        for (String name : List.of("../evil.safetensors", "/etc/passwd", "x/y.safetensors", "model.bin", "")) {
            hub.put(Names.INDEX, "{\"weight_map\": {\"a\": \"" + name + "\"}}");
            assertRefused(() -> pull("main"), Names.INDEX, "\"" + name + "\"");
        }
        hub.put(Names.INDEX, "{\"weight_map\": {\"a\": \"model-00003-of-00002.safetensors\"}}");
        assertRefused(() -> pull("main"), "model-00003-of-00002.safetensors, which is not in the hub's list");
        hub.put(Names.INDEX, "{\"weight_map\": {}}");
        assertRefused(() -> pull("main"), "names no files");
        hub.put(Names.INDEX, "{");
        assertRefused(() -> pull("main"), "not valid JSON");
    }

    @Test
    void aListThatCannotBeBelievedIsRefused() {
        Map<String, String> wrong = Map.of(
                "<html>",
                "something else than JSON",
                "[]",
                "no list",
                "{\"siblings\": 3}",
                "no list",
                "{\"sha\": \"../..\", \"siblings\": []}",
                "names commit '../..'",
                list("{'rfilename': 'config.json', 'blobId': '" + "a".repeat(40) + "'}"),
                "no size of config.json",
                list("{'rfilename': 'config.json', 'size': -1, 'blobId': '" + "a".repeat(40) + "'}"),
                "-1 bytes",
                list("{'rfilename': 'config.json', 'size': 9e18, 'blobId': '" + "a".repeat(40) + "'}"),
                "no size",
                list("{'rfilename': 'config.json', 'size': 8999999999999999999, 'blobId': '" + "a".repeat(40) + "'}"),
                "8999999999999999999 bytes",
                list("{'rfilename': 'config.json', 'size': 3}"),
                "hexadecimal digits, but this is ''",
                list("{'rfilename': 'config.json', 'size': 3, 'lfs': {'sha256': '../x', 'size': 3}}"),
                "'../x'");
        wrong.forEach((list, message) -> {
            hub.listing = list;
            assertRefused(() -> pull("main"), message);
        });
        String twice = "{'rfilename': 'config.json', 'size': 3, 'blobId': '" + "a".repeat(40) + "'}";
        hub.listing = list(twice + "," + twice);
        assertRefused(() -> pull("main"), "has config.json twice");
        assertThat(hub.downloads()).isEmpty();
    }

    @Test
    void namesThatNoModelHasAreRefused() {
        for (String name : List.of("", "a/b/c", "../x", "a/..", "a b", "a/b?x", "a--b", "/a", "a/", "é")) {
            assertThatThrownBy(() -> new ModelId(name))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("'" + name + "'");
        }
        assertThat(new ModelId("gpt2").name()).isEqualTo("gpt2");
    }

    // ---- the token --------------------------------------------------------------------------------------------------

    @Test
    void theTokenGoesToTheHubAndToNoOtherHost() throws IOException {
        elsewhere.files.putAll(hub.files);
        hub.trouble(
                WEIGHTS, FakeHub.redirect(elsewhere.endpoint() + "/tide/mill/resolve/" + hub.commit + "/" + WEIGHTS));
        hub.trouble("config.json", FakeHub.redirect("/tide/mill/resolve/" + hub.commit + "/config.json"));
        hub.trouble(
                "tokenizer.json",
                FakeHub.redirect(hub.endpoint().toString().replace("127.0.0.1", "localhost") + "/tide/mill/resolve/"
                        + hub.commit + "/tokenizer.json"));
        pull("main", Optional.of(TOKEN));
        assertThat(elsewhere.askedFor(WEIGHTS)).hasSize(1);
        assertThat(elsewhere.askedFor(WEIGHTS).get(0).authorization()).isEmpty();
        assertThat(hub.asked.get(0).authorization()).contains("Bearer " + TOKEN);
        assertThat(hub.askedFor("config.json")).hasSize(2).allMatch(one -> one.authorization()
                .isPresent());
        assertThat(hub.askedFor("tokenizer.json").get(1).authorization()).isEmpty(); // another name of the same machine
    }

    @Test
    void theTokenIsInNoMessage() {
        for (int status : List.of(400, 401, 403, 404, 418, 429, 500)) {
            hub.trouble("api", FakeHub.status(status, "Retry-After", "3600"));
            assertThatThrownBy(() -> pull("main", Optional.of(TOKEN))).satisfies(PullTest::withoutToken);
        }
        assertThatThrownBy(() -> pull("main", Optional.of(TOKEN + "\nX-Evil: 1")))
                .satisfies(PullTest::withoutToken);
        assertThatThrownBy(() ->
                        new HubClient(URI.create("http://hub.example"), Optional.of(TOKEN), Duration.ofSeconds(1)))
                .hasMessageContaining("without encryption")
                .satisfies(PullTest::withoutToken);
        assertThatThrownBy(() -> new HubClient(
                        URI.create("https://user:" + TOKEN + "@hub.example"), Optional.empty(), Duration.ofSeconds(1)))
                .hasMessageContaining("without user")
                .satisfies(PullTest::withoutToken);
        assertThat(said()).doesNotContain(TOKEN);
    }

    private static void withoutToken(Throwable e) {
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            assertThat(cause.toString()).doesNotContain(TOKEN);
        }
    }

    @Test
    void noRedirectLeadsOutOfEncryptionOrTheWeb() {
        URI secure = URI.create("https://hub.example/a/b");
        assertThatThrownBy(() -> Redirects.target(secure, "http://cdn.example/x"))
                .isInstanceOf(HubException.class)
                .hasMessageContaining("without encryption");
        for (String to : List.of("file:///etc/passwd", "mailto:x", "https:///x", "ht tp://x", "ftp://x/y")) {
            assertThatThrownBy(() -> Redirects.target(secure, to))
                    .isInstanceOf(HubException.class)
                    .hasMessageContaining("no address");
        }
    }

    @Test
    void redirectsWithoutEndAreGivenUp() {
        for (int i = 0; i < 20; i++) {
            hub.trouble("api", FakeHub.redirect("/api/models/tide/mill/revision/main"));
        }
        assertRefused(() -> pull("main"), "redirects more than 8 times");
    }

    // ---- what the hub says ------------------------------------------------------------------------------------------

    @Test
    void refusalsAreExplained() {
        refuses(FakeHub.status(401), Optional.empty(), "tide/mill is not at 127.0.0.1:", "HF_TOKEN must hold a token");
        refuses(FakeHub.status(401), Optional.of(TOKEN), "does not accept the token in HF_TOKEN");
        refuses(
                FakeHub.status(401, "X-Error-Code", "RepoNotFound"),
                Optional.of(TOKEN),
                "is not at",
                "does not open it");
        refuses(
                FakeHub.status(403, "X-Error-Code", "GatedRepo"),
                Optional.empty(),
                "accept its terms at " + hub.endpoint() + "/tide/mill",
                "put a token of yours into HF_TOKEN");
        refuses(FakeHub.status(404), Optional.empty(), "tide/mill is not at 127.0.0.1:");
        refuses(
                FakeHub.status(404, "X-Error-Code", "RevisionNotFound"),
                Optional.empty(),
                "tide/mill has no revision main at");
        refuses(FakeHub.status(418, "X-Error-Message", "I am a teapot"), Optional.empty(), "418", "I am a teapot");
    }

    private void refuses(FakeHub.Trouble trouble, Optional<String> token, String... parts) {
        hub.trouble("api", trouble);
        assertRefused(() -> pull("main", token), parts);
    }

    @Test
    void aBusyHubIsWaitedForAsLongAsItAsks() throws IOException {
        hub.trouble("api", FakeHub.status(429, "Retry-After", "7"));
        hub.trouble("api", FakeHub.status(503));
        hub.trouble(WEIGHTS, FakeHub.status(429, "Retry-After", "9"));
        pull("main");
        assertThat(pauses.stream().mapToLong(Duration::toSeconds)).containsExactly(7L, 2L, 9L);
        assertThat(hub.askedFor(WEIGHTS)).hasSize(2);
    }

    @Test
    void aPauseMayBeADateByTheHubsOwnClock() {
        assertThat(HubClient.retryAfter("Wed, 21 Oct 2026 07:28:09 GMT", Optional.of("Wed, 21 Oct 2026 07:28:00 GMT")))
                .contains(Duration.ofSeconds(9));
        assertThat(HubClient.retryAfter("Wed, 21 Oct 2026 07:28:00 GMT", Optional.of("Wed, 21 Oct 2026 07:28:09 GMT")))
                .contains(Duration.ZERO);
        assertThat(HubClient.retryAfter("soon", Optional.empty())).isEmpty();
        assertThat(HubClient.retryAfter("-1", Optional.empty())).isEmpty();
    }

    @Test
    void aHubThatWantsALongPauseIsBelievedAndTheTimeIsSaid() {
        hub.trouble("api", FakeHub.status(429, "Retry-After", "3600"));
        assertRefused(() -> pull("main"), "status 429", "Try again in 3600 s", "HF_TOKEN");
        assertThat(pauses).isEmpty();
    }

    @Test
    void offlineIsSaidToBeOffline() throws IOException {
        URI closed;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            closed = URI.create("http://127.0.0.1:" + socket.getLocalPort());
        }
        assertRefused(
                () -> new Pull(closed, Optional.empty(), PullProgress.lines(System.out))
                        .run(FakeHub.MODEL, "main", parent.resolve("mill")),
                "127.0.0.1:" + closed.getPort() + " cannot be reached (no connection)",
                "Is this machine offline?",
                "HF_ENDPOINT");
        assertThat(names(parent)).isEmpty();
    }

    @Test
    void aNameThatNobodyKnowsIsSaidToBeUnknown() {
        assertRefused(
                () -> new Pull(URI.create("https://hub.invalid"), Optional.empty(), PullProgress.lines(System.out))
                        .run(FakeHub.MODEL, "main", parent.resolve("mill")),
                "hub.invalid cannot be reached (its name is not known)");
    }

    // ---- where it goes ----------------------------------------------------------------------------------------------

    @Test
    void aDiskWithoutRoomIsFoundOutBeforeTheFirstByteOfTheWeights() throws IOException {
        freeBytes = 100_000;
        assertRefused(() -> pull("main"), "bytes more, but the disk of", "has only 100000 left");
        assertThat(hub.downloads()).containsExactly("config.json");
        freeBytes = Long.MAX_VALUE;
        pull("main");
    }

    @Test
    void whatIsThereAndWasNotPulledIsLeftAlone() throws IOException {
        Path mine = Files.createDirectory(parent.resolve("mill")).resolve(WEIGHTS);
        Files.writeString(mine, "months of work");
        assertRefused(() -> pull("main"), "is there already and was not pulled", "--output");
        assertThat(mine).hasContent("months of work");

        Files.delete(mine);
        Path directory = pull("main");
        Files.writeString(directory.resolve("notes.txt"), "mine");
        hub.commit = "e".repeat(40);
        assertRefused(() -> pull("main"), "holds notes.txt, which was not pulled and would be lost");
        assertThat(directory.resolve("notes.txt")).hasContent("mine");
    }

    @Test
    void aDirectoryOfAnotherModelIsLeftAlone() throws IOException {
        Path directory = pull("main");
        String source = Files.readString(directory.resolve(PullDirectory.SOURCE));
        Files.writeString(directory.resolve(PullDirectory.SOURCE), source.replace("tide/mill", "tide/other"));
        assertRefused(() -> pull("main"), "holds tide/other of");
    }

    @Test
    void onlyOnePullWritesToADirectory() throws IOException {
        Path output = parent.resolve("mill");
        try (PullDirectory first = PullDirectory.open(output, "x", FakeHub.MODEL)) {
            assertThat(first.target()).isEqualTo(output);
            assertRefused(() -> pull("main"), "Another pull is writing to " + output);
        }
        pull("main");
    }

    // ---- how it is told ---------------------------------------------------------------------------------------------

    @Test
    void linesAreWhatALogGets() throws IOException {
        hub.trouble(WEIGHTS, hub.cutAfter(70_000));
        pull("main");
        assertThat(said())
                .contains("config.json  ")
                .contains(WEIGHTS + " broke off after 70000 of 160072 bytes")
                .contains("trying again in 1 s")
                .contains(WEIGHTS + "  160.1 kB")
                .doesNotContain("\r", "\033");
    }

    @Test
    void aTerminalGetsABarThatIsDrawnOverItself() {
        long[] now = {0};
        PullProgress bar = PullProgress.bar(new PrintStream(said, true, StandardCharsets.UTF_8), () -> now[0]);
        bar.total(2, 4_000_000);
        bar.file("a.safetensors", 3_000_000, 1_000_000);
        now[0] += 2_000_000_000;
        bar.at(2_000_000);
        bar.at(2_000_001); // too soon to be drawn
        bar.done();
        assertThat(said().split("\r", -1))
                .containsExactly(
                        "",
                        "\033[K[#######-----------------------]  25 %  1.0 MB of 4.0 MB  0 B/s  a.safetensors",
                        "\033[K[###############---------------]  50 %  2.0 MB of 4.0 MB  500.0 kB/s  a.safetensors",
                        "\033[Ka.safetensors  3.0 MB" + System.lineSeparator());
    }

    // ---- the model --------------------------------------------------------------------------------------------------

    private static EncoderConfig config() {
        return new EncoderConfig(10, 8, 16, 1, 2, 16, 2, 1e-12, 0.02, 0, EncoderConfig.Head.MASKED, List.of());
    }

    private byte[] weights(int size) throws IOException {
        Path file = parent.resolve("weights.safetensors");
        Safetensors.write(
                file,
                Map.of(),
                List.of(new Safetensors.Entry(size == 20 ? "b" : "a", "F32", new long[] {size})),
                (entry, from, values, count) -> {
                    for (int i = 0; i < count; i++) {
                        values[i] = from + i;
                    }
                });
        byte[] bytes = Files.readAllBytes(file);
        Files.delete(file);
        return bytes;
    }

    private void shard() throws IOException {
        hub.files.remove(WEIGHTS);
        hub.files.put("model-00001-of-00002.safetensors", weights(10));
        hub.files.put("model-00002-of-00002.safetensors", weights(20));
        hub.put(
                Names.INDEX,
                "{\"weight_map\": {\"a\": \"model-00001-of-00002.safetensors\", \"b\":"
                        + " \"model-00002-of-00002.safetensors\"}}");
    }

    private com.fasterxml.jackson.databind.JsonNode listed() {
        var siblings = com.fasterxml.jackson.databind.node.JsonNodeFactory.instance.objectNode();
        var array = siblings.putArray("siblings");
        hub.files.forEach((name, content) -> array.add(FakeHub.sibling(name, content)));
        return siblings;
    }

    private static String list(String siblings) {
        return ("{'siblings': [" + siblings + "]}").replace('\'', '"');
    }

    private Path pull(String revision) throws IOException {
        return pull(revision, Optional.empty());
    }

    private Path pull(String revision, Optional<String> token) throws IOException {
        PullProgress progress = PullProgress.lines(new PrintStream(said, true, StandardCharsets.UTF_8));
        return new Pull(hub.endpoint(), token, progress, patience, pauses::add, directory -> freeBytes)
                .run(FakeHub.MODEL, revision, parent.resolve("mill"));
    }

    private String said() {
        return said.toString(StandardCharsets.UTF_8);
    }

    private static void assertRefused(ThrowingCallable pull, String... parts) {
        assertThatThrownBy(pull).isInstanceOf(HubException.class).hasMessageContainingAll(parts);
    }

    private static List<String> names(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> file.getFileName().toString()).toList();
        }
    }

    private static List<String> with(List<String> names, String more) {
        List<String> all = new ArrayList<>(names);
        all.add(more);
        return all;
    }
}
