package io.tidemill.trainer.checkpoint;

import java.io.IOException;
import java.nio.file.Path;

/** Vouches for a version with a file of its own beside the manifest. */
public interface VersionSigner {
    /** Signs the version that stands in a directory, whose manifest and public files are whole. */
    void sign(Path directory) throws IOException;
}
