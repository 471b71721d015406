package io.tidemill.trainer.offline.data;

import java.io.IOException;
import java.util.function.Consumer;

/** Gives the records of a file, a topic or what this build brings, in order. */
interface Source {
    /** As the recipe names it. */
    String name();

    /** Hands on each record; what is none goes to the mistakes. */
    void read(Consumer<Row> rows, Mistakes mistakes) throws IOException;
}
