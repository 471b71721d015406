package io.tidemill.model.hub;

import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One file on its way here. It grows as {@code <digest>.part}, so that what was cut is gone on with only while the hub
 * lists the same content, and gets its name when its digest is right.
 *
 * <p>Source of the ranges: RFC 9110, sections 13.1.5 (If-Range), 14.2 and 15.3.7.
 */
final class Download {
    private static final int BUFFER_BYTES = 1 << 16;
    private static final Pattern RANGE = Pattern.compile("bytes (\\d{1,18})-(\\d{1,18})/(\\d{1,18}|\\*)");
    private static final Pattern STRONG = Pattern.compile("\"[\\x21\\x23-\\x7e]{1,200}\"");

    private final HubClient hub;
    private final ModelId model;
    private final String commit;
    private final HubFile file;
    private final Path directory;
    private final Path part;
    private final Path tagFile; // the entity tag of the part's content
    private final PullProgress progress;
    private final Duration stall;
    private long reached; // most bytes that have ever been here

    /** @param stall after which a body that gives nothing is given up */
    Download(
            HubClient hub,
            ModelId model,
            String commit,
            HubFile file,
            Path directory,
            PullProgress progress,
            Duration stall) {
        this.hub = hub;
        this.model = model;
        this.commit = commit;
        this.file = file;
        this.directory = directory;
        this.part = part(directory, file);
        this.tagFile = directory.resolve(file.digest().hex() + ".etag");
        this.progress = progress;
        this.stall = stall;
    }

    static Path part(Path directory, HubFile file) {
        return directory.resolve(file.digest().hex() + ".part");
    }

    /** Bytes that are here already of a file that has been cut. */
    static long here(Path directory, HubFile file) throws IOException {
        Path part = part(directory, file);
        return Files.isRegularFile(part) ? Math.min(file.bytes(), Files.size(part)) : 0;
    }

    /** Makes the file present in the directory. */
    void fetch(Patience patience) throws IOException {
        reached = here(directory, file);
        progress.file(file.name(), file.bytes(), reached);
        patience.insist(
                () -> {
                    attempt();
                    return null;
                },
                () -> reached);
        Files.move(part, directory.resolve(file.name()), StandardCopyOption.ATOMIC_MOVE);
        Files.deleteIfExists(tagFile);
        progress.done();
    }

    private void attempt() throws IOException {
        long have = Files.exists(part) ? Files.size(part) : 0;
        if (have > file.bytes()) {
            forget();
            have = 0;
        }
        boolean resumed = have > 0;
        MessageDigest digest = file.digest().begin(file.bytes());
        if (resumed) {
            ContentDigest.update(digest, part);
        }
        if (have < file.bytes() || !resumed) {
            HttpResponse<InputStream> response = ask(have);
            try (InputStream body = response.body()) {
                if (response.statusCode() != 206) {
                    have = 0; // the server gives all of it: it ignores ranges, or has something new
                    resumed = false;
                    digest = file.digest().begin(file.bytes());
                }
                receive(response, body, have, digest);
            }
        }
        String found = ContentDigest.hex(digest);
        if (!found.equals(file.digest().hex())) {
            forget();
            String what = file.name() + " of " + model + " hashes to " + found + " instead of " + file.digest();
            if (resumed) { // its beginning may be another version's
                throw new TryLaterException(what, Optional.of(Duration.ZERO));
            }
            throw new HubException(what + ", so it is not what the hub lists; nothing of it is kept");
        }
    }

    private HttpResponse<InputStream> ask(long have) throws IOException {
        HttpResponse<InputStream> response;
        try {
            response = hub.open(model, commit, file.name(), range(have));
        } catch (Redirects.UnreachableException e) {
            throw new TryLaterException(e.getMessage(), e);
        } catch (Redirects.CutException e) {
            throw have > 0 ? broken(have, "the connection was cut", e) : e;
        }
        boolean wrong = response.statusCode() == 416
                || (response.statusCode() == 206 && (have == 0 || !goesOn(response, have)));
        if (wrong) {
            response.body().close();
            forget();
            throw new TryLaterException(
                    file.name() + " has changed at the hub, or its ranges are wrong; it begins again",
                    Optional.of(Duration.ZERO));
        }
        return response;
    }

    private Map<String, String> range(long have) throws IOException {
        Map<String, String> headers = new HashMap<>();
        if (have > 0) {
            headers.put("Range", "bytes=" + have + "-");
            tag().ifPresent(tag -> headers.put("If-Range", tag));
        }
        return headers;
    }

    private Optional<String> tag() throws IOException {
        return Files.exists(tagFile)
                ? Optional.of(Files.readString(tagFile))
                        .filter(tag -> STRONG.matcher(tag).matches())
                : Optional.empty();
    }

    /** Whether a part of the file follows on what is here, and is one of the same content. */
    private boolean goesOn(HttpResponse<?> response, long have) throws IOException {
        Matcher range =
                RANGE.matcher(response.headers().firstValue("content-range").orElse(""));
        Optional<String> then = tag();
        Optional<String> now = response.headers().firstValue("etag");
        return range.matches()
                && Long.parseLong(range.group(1)) == have
                && (range.group(3).equals("*") || Long.parseLong(range.group(3)) == file.bytes())
                && (then.isEmpty() || now.isEmpty() || then.equals(now));
    }

    private void receive(HttpResponse<?> response, InputStream body, long from, MessageDigest digest)
            throws IOException {
        long announced = response.headers().firstValueAsLong("content-length").orElse(file.bytes() - from);
        if (announced != file.bytes() - from) {
            throw otherSize(String.valueOf(from + announced));
        }
        try (FileChannel out = FileChannel.open(part, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                StallWatch watch = new StallWatch(body, stall)) {
            out.truncate(from).position(from);
            if (from == 0) {
                remember(response.headers().firstValue("etag"));
            }
            progress.at(from);
            long here = from;
            byte[] buffer = new byte[BUFFER_BYTES];
            for (int n = read(body, buffer, here, watch); n >= 0; n = read(body, buffer, here, watch)) {
                here += n;
                if (here > file.bytes()) {
                    out.truncate(from); // keep only what was here before
                    throw otherSize("at least " + here);
                }
                digest.update(buffer, 0, n);
                ByteBuffer bytes = ByteBuffer.wrap(buffer, 0, n);
                while (bytes.hasRemaining()) {
                    out.write(bytes);
                }
                reached = Math.max(reached, here);
                progress.at(here);
            }
            if (here < file.bytes()) {
                throw broken(here, "it ended", null);
            }
            out.force(true);
        }
    }

    private int read(InputStream body, byte[] buffer, long here, StallWatch watch) throws IOException {
        try {
            int n = body.read(buffer);
            watch.moved();
            return n;
        } catch (IOException e) {
            throw broken(
                    here,
                    watch.stalled() ? "nothing came for " + stall.toSeconds() + " s" : "the connection was cut",
                    e);
        }
    }

    private TryLaterException broken(long here, String how, IOException cause) {
        return new TryLaterException(
                file.name() + " broke off after " + here + " of " + file.bytes() + " bytes: " + how, cause);
    }

    private HubException otherSize(String bytes) {
        return new HubException(
                file.name() + " of " + model + " comes with " + bytes + " bytes, but the hub lists " + file.bytes());
    }

    private void remember(Optional<String> tag) throws IOException {
        Files.deleteIfExists(tagFile);
        if (tag.filter(text -> STRONG.matcher(text).matches()).isPresent()) {
            Files.writeString(tagFile, tag.get());
        }
    }

    private void forget() throws IOException {
        Files.deleteIfExists(part);
        Files.deleteIfExists(tagFile);
    }
}
