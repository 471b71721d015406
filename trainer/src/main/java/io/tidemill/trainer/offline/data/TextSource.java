package io.tidemill.trainer.offline.data;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;

/** Plain text, in documents. */
record TextSource(String name, Path file, Unit unit) implements Source {
    /** What a document is. */
    enum Unit {
        /** Up to a blank line. */
        PARAGRAPH,
        LINE,
        FILE;

        static Unit named(String name) {
            return valueOf(name.toUpperCase(Locale.ROOT));
        }
    }

    @Override
    public void read(Consumer<Row> rows, Mistakes mistakes) throws IOException {
        StringBuilder document = new StringBuilder();
        long begins = 1;
        boolean spoilt = false;
        try (TextLines text = new TextLines(file)) {
            for (byte[] bytes = text.next(); bytes != null; bytes = text.next()) {
                Optional<String> line = TextLines.decode(bytes);
                if (line.isEmpty()) {
                    mistakes.add(Place.line(name, text.line()), TextLines.notUtf8());
                    spoilt = true;
                }
                boolean ends = unit == Unit.LINE
                        || unit == Unit.PARAGRAPH
                                && line.filter(String::isBlank).isPresent();
                if (document.isEmpty()) {
                    begins = text.line();
                }
                document.append(line.orElse("")).append(unit == Unit.LINE ? "" : "\n");
                if (ends) {
                    end(document, begins, spoilt, rows);
                    spoilt = false;
                }
            }
        }
        end(document, begins, spoilt, rows);
    }

    private void end(StringBuilder document, long begins, boolean spoilt, Consumer<Row> rows) {
        String text = document.toString().strip();
        document.setLength(0);
        if (!text.isEmpty() && !spoilt) {
            rows.accept(new Row(
                    Place.line(name, begins),
                    JsonNodeFactory.instance.objectNode().put("text", text)));
        }
    }
}
