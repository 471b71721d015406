package io.tidemill.trainer.offline.data;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Consumer;

/** JSON: an object a line, or one list of objects. */
record JsonSource(String name, Path file, boolean lines) implements Source {
    private static final ObjectMapper JSON = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxStringLength(Integer.MAX_VALUE)
                            .build())
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .build())
            .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    /** The same where more may follow: the next element of the list. */
    private static final ObjectMapper ELEMENTS = JSON.copy().disable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    @Override
    public void read(Consumer<Row> rows, Mistakes mistakes) throws IOException {
        if (lines) {
            readLines(rows, mistakes);
        } else {
            readList(rows, mistakes);
        }
    }

    private void readLines(Consumer<Row> rows, Mistakes mistakes) throws IOException {
        try (TextLines text = new TextLines(file)) {
            for (byte[] line = text.next(); line != null; line = text.next()) {
                Place place = Place.line(name, text.line());
                Optional<String> decoded = TextLines.decode(line);
                if (decoded.isEmpty()) {
                    mistakes.add(place, TextLines.notUtf8());
                } else if (!decoded.get().isBlank()) {
                    readLine(decoded.get(), place, rows, mistakes);
                }
            }
        }
    }

    private static void readLine(String line, Place place, Consumer<Row> rows, Mistakes mistakes) {
        try {
            row(JSON.readTree(line), place, rows, mistakes);
        } catch (JsonProcessingException e) {
            mistakes.add(
                    place,
                    new Mistake(
                            "broken-json",
                            "it is not one JSON object: " + e.getOriginalMessage()
                                    + (e.getLocation() == null
                                            ? ""
                                            : " (column " + e.getLocation().getColumnNr() + ")")
                                    + "; write one object a line, or name the file .json if it is a list"));
        }
    }

    private static void row(JsonNode node, Place place, Consumer<Row> rows, Mistakes mistakes) {
        if (node instanceof ObjectNode fields) {
            rows.accept(new Row(place, fields));
        } else {
            mistakes.add(
                    place,
                    new Mistake(
                            "wrong-type",
                            "it must be an object of columns, as in {\"text\": \"…\"}, but is " + Fields.shown(node)));
        }
    }

    private void readList(Consumer<Row> rows, Mistakes mistakes) throws IOException {
        try (JsonParser parser = ELEMENTS.createParser(file.toFile())) {
            if (parser.nextToken() != JsonToken.START_ARRAY) {
                throw new DataException(
                        name + " is not a list of objects; a file with an object a line is named .jsonl");
            }
            while (parser.nextToken() != JsonToken.END_ARRAY) {
                Place place = Place.line(name, parser.currentTokenLocation().getLineNr());
                row(parser.readValueAsTree(), place, rows, mistakes);
            }
            if (parser.nextToken() != null) {
                throw new DataException(
                        name + ":" + parser.currentTokenLocation().getLineNr()
                                + ": something follows the list; a file with an object a line is named .jsonl");
            }
        } catch (JsonProcessingException e) { // where one object ends is not known after that
            throw new DataException(
                    name + ":" + (e.getLocation() == null ? 0 : e.getLocation().getLineNr()) + ": it is not JSON: "
                            + e.getOriginalMessage(),
                    e);
        }
    }
}
