package io.tidemill.standalone;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The folders are the data flow; this keeps them so. */
class ArchitectureTest {
    private static final String INGEST = "io.tidemill.ingest..";
    private static final String PREPROCESS = "io.tidemill.preprocess..";
    private static final String TRAINER = "io.tidemill.trainer..";
    private static final String FEEDBACK = "io.tidemill.feedback..";
    private static final String[] SERVICES = {INGEST, PREPROCESS, TRAINER, FEEDBACK};

    private static JavaClasses classes;

    @BeforeAll
    static void read() {
        classes = new ClassFileImporter()
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                .importPackages("io.tidemill");
    }

    @Test
    void everyFolderIsLookedAt() {
        for (String folder : List.of(
                "proto",
                "model.text",
                "model.engine",
                "model.base",
                "model.hub",
                "ingest",
                "preprocess",
                "trainer",
                "feedback",
                "auditor")) {
            assertThat(classes.stream().anyMatch(type -> type.getPackageName().startsWith("io.tidemill." + folder)))
                    .as("classes of io.tidemill.%s are on the class path", folder)
                    .isTrue();
        }
    }

    @Test
    void servicesDoNotKnowEachOther() {
        for (String service : SERVICES) {
            String[] others = List.of(SERVICES).stream()
                    .filter(other -> !other.equals(service))
                    .toArray(String[]::new);
            noClasses()
                    .that()
                    .resideInAPackage(service)
                    .should()
                    .dependOnClassesThat()
                    .resideInAnyPackage(others)
                    .because("services run one by one on different machines: what one tells another goes through Kafka"
                            + " or HTTP, in messages of proto")
                    .check(classes);
        }
    }

    @Test
    void librariesDoNotKnowServices() {
        noClasses()
                .that()
                .resideInAnyPackage("io.tidemill.proto..", "io.tidemill.model..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(SERVICES)
                .orShould()
                .dependOnClassesThat()
                .resideInAnyPackage("io.quarkus..", "jakarta..")
                .because("proto and model are libraries that others can use without a service or Quarkus")
                .check(classes);
    }

    @Test
    void theLanguageModelDoesNotKnowKafka() {
        noClasses()
                .that()
                .resideInAPackage("io.tidemill.model..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("org.apache.kafka..", "io.tidemill.proto..")
                .because("a model is files in and files out; where text comes from is the services' matter")
                .check(classes);
    }

    @Test
    void onlyTheEmbeddedBrokerTouchesKafkasInternals() {
        noClasses()
                .that()
                .resideOutsideOfPackage("io.tidemill.deploy.kafka..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "kafka..",
                        "org.apache.kafka.server..",
                        "org.apache.kafka.metadata..",
                        "org.apache.kafka.controller..",
                        "org.apache.kafka.image..",
                        "org.apache.kafka.raft..",
                        "org.apache.kafka.storage..",
                        "org.apache.kafka.coordinator..")
                .because("the broker's classes are no public interface of Kafka and move with every release")
                .check(classes);
    }

    @Test
    void onlyTheModelTouchesTheTensorLibrary() {
        noClasses()
                .that()
                .resideOutsideOfPackage("io.tidemill.model..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("ai.djl..")
                .because("native memory has one owner, and the engine may change without the services")
                .check(classes);
    }

    @Test
    void nothingServesPreprocessingFromTheOutsideButItsService() {
        noClasses()
                .that()
                .resideOutsideOfPackage(PREPROCESS)
                .should()
                .dependOnClassesThat()
                .resideInAPackage("org.apache.kafka.streams..")
                .because("Kafka Streams keeps state that only preprocess-stream owns")
                .check(classes);
    }

    @Test
    void theStandaloneApplicationStartsServicesAndDoesNotUseThem() {
        noClasses()
                .that()
                .resideInAPackage("io.tidemill.standalone..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(INGEST, PREPROCESS, FEEDBACK)
                .because("the demo and the command line speak to services as any client does")
                .check(classes);
    }

    @Test
    void theAuditorSharesNoCodeWithThoseItJudges() {
        noClasses()
                .that()
                .resideInAPackage("io.tidemill.auditor..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(SERVICES)
                .orShould()
                .dependOnClassesThat()
                .resideInAnyPackage("io.tidemill.model..", "io.tidemill.standalone..", "io.tidemill.proto.checkpoint..")
                .orShould()
                .dependOnClassesThat(
                        resideInAPackage("io.tidemill.proto").and(not(nameMatching(".*\\.Topic(Catalogue)?"))))
                .because(
                        "a witness that calls the code of the accused repeats its errors: of proto it takes the messages"
                                + " and the names of topics")
                .check(classes);
    }

    @Test
    void packagesOfAServiceHaveNoCycles() {
        for (String service : List.of("ingest", "preprocess", "feedback", "trainer")) {
            slices().matching("io.tidemill." + service + ".(*)..")
                    .should()
                    .beFreeOfCycles()
                    .because("a feature that cannot be read alone is two features in one")
                    .check(classes);
        }
    }
}
