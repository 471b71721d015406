package io.tidemill.trainer.checkpoint;

import java.io.IOException;

/** A file is not as it was written. The message names it, and what to do. */
public final class DamagedFileException extends IOException {
    private static final long serialVersionUID = 1L;

    DamagedFileException(String message) {
        super(message);
    }
}
