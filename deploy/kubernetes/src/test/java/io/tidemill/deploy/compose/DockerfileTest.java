package io.tidemill.deploy.compose;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.tidemill.deploy.kubernetes.Yaml;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

class DockerfileTest {
    static final List<String> SERVICES = Compose.SERVICES;
    private static final Path DOCKERFILE = Compose.FOLDER.resolve("Dockerfile");
    private final String text = Yaml.read(DOCKERFILE);

    @ParameterizedTest
    @FieldSource("SERVICES")
    void composeBuildsTheServiceFromThisFileAndTheRootOfTheRepository(String service) {
        JsonNode build = Compose.service(service).path("build");
        assertThat(Compose.FOLDER
                        .resolve(build.path("context").asText())
                        .toAbsolutePath()
                        .normalize())
                .isEqualTo(Compose.ROOT.toAbsolutePath().normalize());
        assertThat(Compose.ROOT
                        .resolve(build.path("dockerfile").asText())
                        .toAbsolutePath()
                        .normalize())
                .isEqualTo(DOCKERFILE.toAbsolutePath().normalize());
        assertThat(build.at("/args/SERVICE").asText()).isEqualTo(service);
        assertThat(stages()).contains(build.path("target").asText());
    }

    @ParameterizedTest
    @FieldSource("SERVICES")
    void whatIsCopiedIsInTheServicesModuleAndReachesTheBuilder(String service) {
        assertThat(Yaml.read(Compose.ROOT.resolve(service).resolve("pom.xml")))
                .as("only the Quarkus plugin makes target/quarkus-app")
                .contains("<artifactId>quarkus-maven-plugin</artifactId>");
        assertThat(copied(service))
                .filteredOn(source -> source.startsWith(service + "/"))
                .hasSize(4)
                .allMatch(source -> source.startsWith(service + "/target/quarkus-app/"));
        assertThat(Yaml.read(Compose.FOLDER.resolve("Dockerfile.dockerignore")))
                .contains("\n!" + service + "/target/quarkus-app\n")
                .contains("\n!deploy/compose/ready\n");
    }

    /** Only where the services have been packaged before, as `mvn verify` of the whole does. */
    @ParameterizedTest
    @FieldSource("SERVICES")
    void whatIsCopiedExistsOnceTheServiceIsBuilt(String service) {
        Path build = Compose.ROOT.resolve(service).resolve("target/quarkus-app");
        if (Files.isDirectory(build)) {
            assertThat(copied(service)).allSatisfy(source -> assertThat(Compose.ROOT.resolve(source))
                    .exists());
            try (Stream<Path> parts = Files.list(build)) {
                assertThat(parts.map(part -> part.getFileName().toString()))
                        .as("nothing of the program is left behind")
                        .containsExactlyInAnyOrder(
                                "app", "lib", "quarkus", "quarkus-run.jar", "quarkus-app-dependencies.txt");
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    @Test
    void theProgramRunsAsAUserThatOwnsNothingButItsData() {
        List<String> users = matches("^USER (.+)$");
        assertThat(users.get(users.size() - 1)).isEqualTo("10001:10001");
        assertThat(text).contains("install --directory --owner=tidemill --group=tidemill /data /cache");
    }

    @Test
    void theJavaOfTheImageIsTheOneThatTheProgramIsCompiledFor() {
        assertThat(text)
                .contains("ARG JAVA_IMAGE=eclipse-temurin:" + System.getProperty("maven.compiler.release") + "-jre-");
    }

    private List<String> stages() {
        return matches("^FROM .+ AS (.+)$");
    }

    private List<String> copied(String service) {
        return matches("^COPY (?!--from)(\\S+) .+$").stream()
                .map(source -> source.replace("${SERVICE}", service))
                .toList();
    }

    private List<String> matches(String line) {
        return Pattern.compile(line, Pattern.MULTILINE)
                .matcher(text)
                .results()
                .map((MatchResult match) -> match.group(1))
                .toList();
    }
}
