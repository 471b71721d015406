package io.tidemill.ingest.upload;

import io.tidemill.proto.Ids;
import io.tidemill.proto.Reading;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;
import org.apache.kafka.common.errors.RecordTooLargeException;

/**
 * Takes bodies of one or many records.
 *
 * <p>A body within the batch limits is read to its end and checked whole before anything is sent: all of it is taken or
 * nothing. A longer one is a stream: what is valid is sent as it comes, with a bounded number of records under way, and
 * what is not is listed. Either way the answer comes after the last acknowledgement and names the lines that are kept.
 */
public final class Uploads {
    private static final int RETRY_AFTER_SECONDS = 5;
    private static final int MAX_KEY_CHARACTERS = 255;

    private final EventLog log;
    private final UploadLimits limits;
    private final IdempotencyKeys keys;
    private final Supplier<String> newId;
    private final Semaphore places;

    public Uploads(EventLog log, UploadLimits limits, IdempotencyKeys keys, Supplier<String> newId) {
        this.log = log;
        this.limits = limits;
        this.keys = keys;
        this.newId = newId;
        this.places = new Semaphore(limits.concurrentUploads());
    }

    /**
     * Takes one request's body.
     *
     * @param contentType     as the client sent it; null where it sent none
     * @param contentEncoding as the client sent it; null where it sent none
     * @param idempotencyKey  as the client sent it; null where it sent none
     * @throws IOException when the client's body cannot be read to its end
     */
    public Answer take(
            Intake<?> intake, InputStream body, String contentType, String contentEncoding, String idempotencyKey)
            throws IOException {
        Optional<Boolean> lines = lines(contentType, contentEncoding);
        if (lines.isEmpty()) {
            return Answer.problem(
                    415,
                    "This content type is not taken",
                    "Content-Type was " + contentType
                            + (contentEncoding == null ? "" : " with Content-Encoding " + contentEncoding)
                            + ". Expected: application/json or application/x-ndjson, in UTF-8 and not compressed.");
        }
        if (idempotencyKey != null && !idempotencyKey.matches("[\\x20-\\x7e]{1," + MAX_KEY_CHARACTERS + "}")) {
            return Answer.problem(
                    400,
                    "The Idempotency-Key cannot be used",
                    "It has " + idempotencyKey.length() + " characters. Expected: 1 to " + MAX_KEY_CHARACTERS
                            + " printable ASCII characters.");
        }
        if (!places.tryAcquire()) {
            return retryLater(
                    "Too many uploads at a time",
                    limits.concurrentUploads() + " requests are being read. Nothing of this one was taken.",
                    1);
        }
        try {
            return idempotencyKey == null
                    ? new Upload(intake, body, lines.get(), Optional.empty()).run()
                    : once(intake, body, lines.get(), idempotencyKey);
        } finally {
            places.release();
        }
    }

    private Answer once(Intake<?> intake, InputStream body, boolean lines, String idempotencyKey) throws IOException {
        String key = intake.name() + " " + idempotencyKey;
        MessageDigest digest = sha256();
        DigestInputStream digested = new DigestInputStream(body, digest);
        switch (keys.begin(key)) {
            case RUNNING -> {
                return Answer.problem(
                        409,
                        "This Idempotency-Key is in use",
                        "A request with the key " + idempotencyKey + " is being taken. Repeat when it has ended.");
            }
            case ANSWERED -> {
                digested.transferTo(OutputStream.nullOutputStream());
                Answer before = keys.answer(key, hash(digest));
                return before != null
                        ? before
                        : Answer.problem(
                                422,
                                "This Idempotency-Key belongs to another body",
                                "The key " + idempotencyKey + " was used for another body. Nothing of this one was"
                                        + " taken: use a new key for a new body.");
            }
            case FIRST -> {
                Answer answer = null;
                try {
                    answer = new Upload(intake, digested, lines, Optional.of(idempotencyKey)).run();
                    return answer;
                } finally {
                    if (answer != null && answer.status() < 300 && answer.bodyRead()) {
                        digested.transferTo(OutputStream.nullOutputStream()); // what follows an array
                        keys.answered(key, hash(digest), answer);
                    } else {
                        keys.forget(key);
                    }
                }
            }
        }
        throw new AssertionError("Every beginning has its case.");
    }

    /** Whether the body is NDJSON; empty when it is nothing that we read. */
    private static Optional<Boolean> lines(String contentType, String contentEncoding) {
        boolean plain = contentEncoding == null
                || contentEncoding.isBlank()
                || contentEncoding.strip().equalsIgnoreCase("identity");
        if (contentType == null || !plain) {
            return Optional.empty();
        }
        String[] parts = contentType.toLowerCase(Locale.ROOT).split(";", -1);
        for (int i = 1; i < parts.length; i++) {
            String parameter = parts[i].replace("\"", "").strip();
            if (parameter.startsWith("charset=") && !parameter.equals("charset=utf-8")) {
                return Optional.empty();
            }
        }
        return switch (parts[0].strip()) {
            case "application/json" -> Optional.of(false);
            case "application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines" ->
                Optional.of(true);
            default -> Optional.empty();
        };
    }

    /** One body on its way. */
    private final class Upload {
        private record Held(long line, Event event) {}

        private final Intake<?> intake;
        private final BodyPieces pieces;
        private final Optional<String> key;
        private final Refusals refusals = new Refusals();
        private final InFlight inFlight;

        Upload(Intake<?> intake, InputStream body, boolean lines, Optional<String> key) {
            this.intake = intake;
            this.pieces = new BodyPieces(body, lines, limits.maxRecordBytes());
            this.key = key;
            this.inFlight = new InFlight(log, intake.topic(), key, limits);
        }

        Answer run() {
            try {
                return take();
            } catch (IOException e) {
                inFlight.settle();
                return Answer.of(
                        400,
                        "The body could not be read to its end",
                        e + " Kept are the accepted lines and nothing else.",
                        keptFields(),
                        inFlight.accepted(),
                        refusals.count(),
                        Optional.empty(),
                        false);
            }
        }

        private Answer take() throws IOException {
            // 1. Hold back the beginning, which for most bodies is all of it.
            List<Held> held = new ArrayList<>();
            long heldBytes = 0;
            Piece piece = pieces.next();
            while (piece != null
                    && held.size() + refusals.count() < limits.batchRecords()
                    && heldBytes < limits.batchBytes()) {
                heldBytes += piece.bytes().length;
                read(piece).ifPresent(held::add);
                piece = pieces.next();
            }
            boolean whole = piece == null;
            if (whole && (!refusals.isEmpty() || held.isEmpty())) {
                return refusedWhole();
            }

            // 2. Send it, and the rest as it comes.
            for (Held record : held) {
                inFlight.send(record.line, record.event);
            }
            held.clear();
            long stoppedAt = 0;
            while (piece != null && inFlight.failure().isEmpty() && stoppedAt == 0) {
                read(piece).ifPresent(record -> inFlight.send(record.line, record.event));
                stoppedAt = refusals.count() > limits.maxRefusedLines() ? piece.line() + 1 : 0;
                piece = pieces.next();
            }

            // 3. Answer when the last acknowledgement is there.
            inFlight.settle();
            boolean bodyRead = piece == null;
            if (inFlight.failure().isPresent()) {
                return notKept(inFlight.failure().get(), bodyRead);
            }
            return refusals.isEmpty() ? kept() : keptPartly(stoppedAt, bodyRead);
        }

        private Optional<Held> read(Piece piece) {
            if (piece.problem() != null) {
                refusals.add(piece.line(), piece.problem());
                return Optional.empty();
            }
            Reading<Event> reading = intake.event(piece.bytes(), () -> id(piece.line()), limits.maxRecordBytes());
            if (reading instanceof Reading.Refused<Event> refused) {
                refusals.add(piece.line(), refused);
                return Optional.empty();
            }
            return Optional.of(new Held(piece.line(), ((Reading.Accepted<Event>) reading).message()));
        }

        /** With a key the same line gets the same id whenever the request is repeated. */
        private String id(long line) {
            return key.map(given -> Ids.uuid8("idempotency-key", intake.name(), given, Long.toString(line)))
                    .orElseGet(newId);
        }

        private Answer kept() {
            return Answer.of(202, "", "", keptFields(), inFlight.accepted(), 0, Optional.empty(), true);
        }

        private Answer refusedWhole() {
            if (refusals.isEmpty()) {
                return Answer.of(
                        400,
                        "The body holds no record",
                        "Expected: one JSON object, an array of them, or one on each line of NDJSON.",
                        Map.of(),
                        0,
                        0,
                        Optional.empty(),
                        true);
            }
            return Answer.of(
                    refusals.onlyTooLarge() ? 413 : 400,
                    refusals.count() + " of the records cannot be taken, so none was",
                    "First, " + refusals.firstReason(),
                    Map.of("refused", refusals.list()),
                    0,
                    refusals.count(),
                    Optional.empty(),
                    true);
        }

        private Answer keptPartly(long stoppedAt, boolean bodyRead) {
            Map<String, Object> more = keptFields();
            more.put("refused", refusals.list());
            String end = "";
            if (stoppedAt > 0) {
                more.put("stopped_at_line", stoppedAt);
                end = " More than " + limits.maxRefusedLines() + " lines were refused: nothing was read from line "
                        + stoppedAt + " on.";
            }
            boolean some = inFlight.accepted() > 0;
            return Answer.of(
                    some ? 207 : refusals.onlyTooLarge() ? 413 : 400,
                    refusals.count() + " lines were refused",
                    "First, " + refusals.firstReason() + end,
                    more,
                    inFlight.accepted(),
                    refusals.count(),
                    Optional.empty(),
                    bodyRead);
        }

        /** What was acknowledged is kept; the rest may be kept or not, which repeating under the same ids mends. */
        private Answer notKept(Throwable failure, boolean bodyRead) {
            Map<String, Object> more = keptFields();
            if (!refusals.isEmpty()) {
                more.put("refused", refusals.list());
            }
            boolean tooLarge = failure instanceof RecordTooLargeException;
            return Answer.of(
                    tooLarge ? 413 : 503,
                    tooLarge ? "The broker takes no record of this length" : "The broker has not acknowledged",
                    sentence(failure.getMessage()) + " Kept for certain are the accepted lines. Repeat the others"
                            + (key.isPresent() ? "" : " with ids of your own or an Idempotency-Key")
                            + ": a record with the same id counts once.",
                    more,
                    inFlight.accepted(),
                    refusals.count(),
                    tooLarge ? Optional.empty() : Optional.of(RETRY_AFTER_SECONDS),
                    bodyRead);
        }

        private Map<String, Object> keptFields() {
            Map<String, Object> fields = new LinkedHashMap<>();
            fields.put("accepted_lines", inFlight.acceptedLines());
            if (inFlight.accepted() > inFlight.ids().size()) {
                fields.put("first_id", inFlight.firstId());
                fields.put("last_id", inFlight.lastId());
            } else {
                fields.put("ids", inFlight.ids());
            }
            return fields;
        }
    }

    private static String sentence(String message) {
        return message == null || message.endsWith(".") ? message : message + ".";
    }

    private static Answer retryLater(String title, String detail, int seconds) {
        return Answer.of(503, title, detail, Map.of(), 0, 0, Optional.of(seconds), false);
    }

    private static String hash(MessageDigest digest) {
        return HexFormat.of().formatHex(digest.digest());
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException impossible) {
            throw new AssertionError("Every Java platform has SHA-256.", impossible);
        }
    }
}
