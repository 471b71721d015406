package io.tidemill.model.hub;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tidemill.model.engine.EncoderConfig;
import io.tidemill.model.engine.ModelConfig;
import io.tidemill.model.engine.Safetensors;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.ToLongFunction;

/**
 * Pulls a model from a hub into a Hugging Face directory: only what Tidemill reads, each file checked against the digest
 * that the hub lists, the directory named when all is whole. What {@code config.json} asks for is looked at before the
 * weights come. Cut short, the same pull goes on where it was; done again, it downloads nothing.
 */
public final class Pull {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final long MOST_TEXT_BYTES = 256 << 20;
    private static final long MOST_INDEX_BYTES = 64 << 20;

    private final HubClient hub;
    private final PullProgress progress;
    private final Duration patience;
    private final Patience.Pause pause;
    private final ToLongFunction<Path> freeBytes;

    /**
     * A pull from one hub.
     *
     * @param endpoint base address, such as {@code https://huggingface.co}
     * @param token    goes to this host only, and into no message
     * @throws IllegalArgumentException for an endpoint or a token that cannot be used
     */
    public Pull(URI endpoint, Optional<String> token, PullProgress progress) {
        this(
                endpoint,
                token,
                progress,
                Duration.ofSeconds(60),
                duration -> Thread.sleep(duration.toMillis()),
                directory -> directory.toFile().getUsableSpace());
    }

    /**
     * @param patience  for the headers of an answer, and for a body that gives nothing
     * @param freeBytes of the disk of a directory
     */
    Pull(
            URI endpoint,
            Optional<String> token,
            PullProgress progress,
            Duration patience,
            Patience.Pause pause,
            ToLongFunction<Path> freeBytes) {
        this.hub = new HubClient(endpoint, token, patience);
        this.progress = progress;
        this.patience = patience;
        this.pause = pause;
        this.freeBytes = freeBytes;
    }

    /**
     * Makes the model present and whole in {@code output}.
     *
     * @param revision branch, tag or commit
     * @return the directory
     * @throws HubException what the hub or the model does not give; what has come is kept for the next time
     */
    public Path run(ModelId model, String revision, Path output) throws IOException {
        Patience patient = new Patience(pause, progress::note);
        HubListing listing;
        try {
            listing = patient.insist(() -> hub.listing(model, revision), () -> 0);
        } catch (Redirects.UnreachableException e) {
            throw new HubException(
                    e.getMessage() + ". Is this machine offline? --endpoint or HF_ENDPOINT names another hub, and"
                            + " ./tidemill import takes models from files",
                    e);
        }
        List<HubFile> texts = texts(model, listing);
        try (PullDirectory directory = PullDirectory.open(output, hub.endpoint(), model)) {
            if (isWhole(directory, listing)) {
                progress.note(output + " is " + model + " at " + listing.commit() + " already");
                return directory.target();
            }
            return fetch(model, revision, listing, texts, directory, patient);
        }
    }

    private Path fetch(
            ModelId model,
            String revision,
            HubListing listing,
            List<HubFile> texts,
            PullDirectory directory,
            Patience patient)
            throws IOException {
        Map<String, HubFile> all = new LinkedHashMap<>();
        texts.forEach(file -> all.put(file.name(), file));
        boolean sharded = !listing.files().containsKey(Names.WEIGHTS);
        if (sharded) {
            HubFile index = listing.files().get(Names.INDEX);
            if (index.bytes() > MOST_INDEX_BYTES) {
                throw new HubException(index.name() + " of " + model + " has " + index.bytes() + " bytes, more than "
                        + MOST_INDEX_BYTES);
            }
            all.put(index.name(), index);
        }
        Fetching fetching = new Fetching(model, listing.commit(), directory, patient);
        // What decides whether the rest is wanted comes first.
        fetching.all(List.of(listing.files().get(Names.CONFIG)));
        checkConfig(model, directory.aside().resolve(Names.CONFIG));
        if (sharded) {
            fetching.all(List.of(all.get(Names.INDEX)));
            for (String shard : shards(model, directory.aside().resolve(Names.INDEX))) {
                HubFile file = listing.files().get(shard);
                if (file == null) {
                    throw new HubException(Names.INDEX + " of " + model + " names " + Names.shown(shard)
                            + ", which is not in the hub's list");
                }
                all.put(shard, file);
            }
        } else {
            all.put(Names.WEIGHTS, listing.files().get(Names.WEIGHTS));
        }
        fetching.all(List.copyOf(all.values()));
        checkWeights(directory.aside());
        directory.publish(hub.endpoint(), model, revision, listing.commit(), all.values());
        return directory.target();
    }

    // ---- what is wanted ---------------------------------------------------------------------------------------------

    private static List<HubFile> texts(ModelId model, HubListing listing) throws HubException {
        if (!listing.files().containsKey(Names.WEIGHTS) && !listing.files().containsKey(Names.INDEX)) {
            throw noWeights(model, listing);
        }
        for (String needed : List.of(Names.CONFIG, Names.TOKENIZER)) {
            if (!listing.files().containsKey(needed)) {
                throw new HubException(model + " has no " + needed
                        + (needed.equals(Names.TOKENIZER)
                                ? "; its tokenizer must be saved in its fast form"
                                : ", so nothing tells what its weights are")
                        + ". It has " + Names.shown(String.join(", ", listing.names())));
            }
        }
        List<HubFile> texts = listing.files().values().stream()
                .filter(file -> Names.isText(file.name()))
                .toList();
        for (HubFile text : texts) {
            if (text.bytes() > MOST_TEXT_BYTES) {
                throw new HubException(
                        text.name() + " of " + model + " has " + text.bytes() + " bytes, more than " + MOST_TEXT_BYTES);
            }
        }
        return texts;
    }

    private static HubException noWeights(ModelId model, HubListing listing) {
        if (listing.names().contains("adapter_model.safetensors")) {
            return new HubException(
                    model + " is an adapter (adapter_model.safetensors); pull the model that it is for");
        }
        List<String> pickles = listing.names().stream().filter(Names::isPickle).toList();
        if (!pickles.isEmpty()) {
            return new HubException(
                    model + " has its weights only as " + Names.shown(pickles.get(0)) + ", a pickle, which"
                            + " can run code when it is read; Tidemill reads safetensors alone (transformers writes them with"
                            + " save_pretrained)");
        }
        List<String> others =
                listing.names().stream().filter(Names::isOtherWeights).toList();
        return new HubException(model + " has neither " + Names.WEIGHTS + " nor " + Names.INDEX + "; "
                + (others.isEmpty()
                        ? "it has no weights in its top folder"
                        : "it has " + Names.shown(String.join(", ", others))));
    }

    private static Set<String> shards(ModelId model, Path index) throws IOException {
        Set<String> shards = new TreeSet<>();
        JsonNode map = json(model, index).path("weight_map");
        for (JsonNode shard : map) {
            if (!shard.isTextual() || !Names.isShard(shard.textValue())) {
                throw new HubException(Names.INDEX + " of " + model + " names " + Names.shown(shard.toString())
                        + ", which is not the name of a .safetensors file beside it");
            }
            shards.add(shard.textValue());
        }
        if (shards.isEmpty()) {
            throw new HubException(Names.INDEX + " of " + model + " names no files");
        }
        return shards;
    }

    private static JsonNode json(ModelId model, Path file) throws IOException {
        try {
            return JSON.readTree(file.toFile());
        } catch (JsonProcessingException e) {
            throw new HubException(
                    file.getFileName() + " of " + model + " is not valid JSON: " + e.getOriginalMessage(), e);
        }
    }

    // ---- whether it can be used -------------------------------------------------------------------------------------

    private static void checkConfig(ModelId model, Path config) throws IOException {
        try {
            if (json(model, config).path("model_type").asText().equals("bert")) {
                EncoderConfig.read(config);
            } else {
                ModelConfig.read(config);
            }
        } catch (IllegalArgumentException e) {
            throw new HubException(model + " cannot be used: " + withoutPath(e, config), e);
        }
    }

    private static void checkWeights(Path directory) throws IOException {
        try {
            Safetensors.open(directory).close();
        } catch (IllegalArgumentException e) {
            throw new HubException("The weights cannot be used: " + withoutPath(e, directory), e);
        }
    }

    private static String withoutPath(Exception e, Path path) {
        return e.getMessage()
                .replace(path.toString() + java.io.File.separator, "")
                .replace(path.toString(), path.getFileName().toString());
    }

    /** Whether the directory is of this commit and each of its files is what the hub lists. */
    private static boolean isWhole(PullDirectory directory, HubListing listing) throws IOException {
        if (!directory.isOf(listing.commit()) || !directory.named().contains(Names.CONFIG)) {
            return false;
        }
        for (String name : directory.named()) {
            HubFile file = listing.files().get(name);
            if (file == null || !file.isIn(directory.target())) {
                return false;
            }
        }
        return true;
    }

    // ---- bringing it ------------------------------------------------------------------------------------------------

    /** What one run brings. */
    private final class Fetching {
        private final ModelId model;
        private final String commit;
        private final PullDirectory directory;
        private final Patience patient;

        Fetching(ModelId model, String commit, PullDirectory directory, Patience patient) {
            this.model = model;
            this.commit = commit;
            this.directory = directory;
            this.patient = patient;
        }

        /** Makes the files present aside; there is room for all of them before the first begins. */
        void all(List<HubFile> files) throws IOException {
            List<HubFile> missing = new ArrayList<>();
            long bytes = 0;
            long room = 0;
            for (HubFile file : files) {
                if (!directory.has(file)) {
                    missing.add(file);
                    bytes = Math.addExact(bytes, file.bytes());
                    room = Math.addExact(room, file.bytes() - Download.here(directory.aside(), file));
                }
            }
            if (missing.isEmpty()) {
                return;
            }
            long free = freeBytes.applyAsLong(directory.aside());
            if (free < room) {
                throw new HubException(model + " needs " + room + " bytes more, but the disk of " + directory.target()
                        + " has only " + free + " left; make room, or choose another directory with --output");
            }
            progress.total(missing.size(), bytes);
            for (HubFile file : missing) {
                Files.deleteIfExists(directory.aside().resolve(file.name()));
                new Download(hub, model, commit, file, directory.aside(), progress, patience).fetch(patient);
            }
        }
    }
}
