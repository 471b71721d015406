package io.tidemill.trainer.offline.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.csv.CsvFactory;
import com.fasterxml.jackson.dataformat.csv.CsvMapper;
import com.fasterxml.jackson.dataformat.csv.CsvParser;
import com.fasterxml.jackson.dataformat.csv.CsvSchema;
import java.io.IOException;
import java.io.Reader;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/** CSV as RFC 4180 has it, the first record naming the columns. */
record CsvSource(String name, Path file, char separator) implements Source {
    private static final CsvMapper CSV = CsvMapper.builder(CsvFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxStringLength(Integer.MAX_VALUE)
                            .build())
                    .build())
            .enable(CsvParser.Feature.WRAP_AS_ARRAY)
            .enable(CsvParser.Feature.SKIP_EMPTY_LINES)
            .build();

    @Override
    public void read(Consumer<Row> rows, Mistakes mistakes) throws IOException {
        ObjectReader reader =
                CSV.readerFor(String[].class).with(CsvSchema.emptySchema().withColumnSeparator(separator));
        try (Reader text = Files.newBufferedReader(file);
                MappingIterator<String[]> records = reader.readValues(text)) {
            if (!records.hasNextValue()) {
                return;
            }
            List<String> columns = header(records.nextValue());
            while (true) {
                long line = records.getCurrentLocation().getLineNr();
                if (!records.hasNextValue()) {
                    return;
                }
                record(records.nextValue(), columns, Place.line(name, line), rows, mistakes);
            }
        } catch (JsonProcessingException e) { // where the next record begins is not known after that
            throw new DataException(
                    name + ":" + (e.getLocation() == null ? 0 : e.getLocation().getLineNr())
                            + ": it is not CSV (RFC 4180): " + e.getOriginalMessage()
                            + "; a quotation mark inside a quoted value is written twice",
                    e);
        } catch (CharacterCodingException e) {
            throw new DataException(name + " is not UTF-8; save it as UTF-8", e);
        }
    }

    private List<String> header(String[] header) {
        header[0] = header[0].startsWith("\uFEFF") ? header[0].substring(1) : header[0];
        Set<String> seen = new HashSet<>();
        for (String column : header) {
            if (column.isBlank() || !seen.add(column)) {
                throw new DataException(
                        name + ":1: the first line must name each column once, but is " + Arrays.toString(header));
            }
        }
        return List.of(header);
    }

    private static void record(
            String[] values, List<String> columns, Place place, Consumer<Row> rows, Mistakes mistakes) {
        if (values.length != columns.size()) {
            mistakes.add(
                    place,
                    new Mistake(
                            "wrong-columns",
                            "it has " + values.length + " values for the " + columns.size() + " columns " + columns
                                    + "; put values with commas or line breaks in quotation marks"));
            return;
        }
        ObjectNode fields = JsonNodeFactory.instance.objectNode();
        for (int i = 0; i < values.length; i++) {
            fields.put(columns.get(i), values[i]);
        }
        rows.accept(new Row(place, fields));
    }
}
