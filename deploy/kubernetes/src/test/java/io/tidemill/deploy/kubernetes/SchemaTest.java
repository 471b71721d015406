package io.tidemill.deploy.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every file says only what Kubernetes, Strimzi and KEDA understand. */
class SchemaTest {
    private static final JsonSchemas SCALED_OBJECT = JsonSchemas.named("scaled-object");

    static Stream<Resource> resources() {
        return Manifests.base().stream();
    }

    static Stream<Resource> modelled() {
        return resources().filter(StrictModels::knows);
    }

    static Stream<Resource> coreKinds() {
        return resources().filter(StrictModels::knowsRequired);
    }

    @ParameterizedTest
    @MethodSource("resources")
    void everyKindIsOneThatIsChecked(Resource resource) {
        assertThat(StrictModels.knows(resource) || isScaledObject(resource))
                .as("%s is of a kind that no check here knows: %s", resource, resource.type())
                .isTrue();
    }

    @ParameterizedTest
    @MethodSource("modelled")
    void everyPropertyIsKnownToTheModelOfItsKind(Resource resource) {
        assertThatCode(() -> StrictModels.parse(resource))
                .as(resource.toString())
                .doesNotThrowAnyException();
    }

    @ParameterizedTest
    @MethodSource("coreKinds")
    void everyRequiredPropertyIsThere(Resource resource) {
        assertThatCode(() -> StrictModels.requireAll(resource))
                .as(resource.toString())
                .doesNotThrowAnyException();
    }

    @Test
    void scaledObjectsFollowKedasDescription() {
        assertThat(resources().filter(SchemaTest::isScaledObject)).isNotEmpty().allSatisfy(resource -> assertThat(
                        SCALED_OBJECT.problems(resource.json()))
                .as(resource.toString())
                .isEmpty());
    }

    @Test
    void thePatchForGpusIsPartOfAStatefulSet() {
        Resource patch = Manifests.of(Manifests.GPU.resolve("trainer.yaml")).get(0);

        StatefulSet parsed = (StatefulSet) StrictModels.parse(patch);

        assertThat(Manifests.base("StatefulSet", parsed.getMetadata().getName())
                        .spec()
                        .at("/template/spec/containers/0/name")
                        .asText())
                .as("a patch of a container that does not exist would add one")
                .isEqualTo(parsed.getSpec()
                        .getTemplate()
                        .getSpec()
                        .getContainers()
                        .get(0)
                        .getName());
    }

    @Test
    void aMisspeltPropertyIsFound() {
        assertThatThrownBy(() -> StrictModels.parse(resource("kind: Deployment\nspec: {replica: 2}")))
                .hasMessageContaining("replica");
        assertThatThrownBy(() -> StrictModels.parse(
                        resource("kind: Deployment\nspec: {template: {spec: {containers: [{imagee: a}]}}}")))
                .hasMessageContaining("imagee");
    }

    @Test
    void aNumberWhereKubernetesWantsAStringIsFound() {
        assertThatThrownBy(() -> StrictModels.parse(resource(
                        "kind: Deployment\nspec: {template: {spec: {containers: [{env: [{name: A, value: 3}]}]}}}")))
                .hasMessageContaining("value");
    }

    @Test
    void aMissingRequiredPropertyIsFound() {
        assertThatThrownBy(() -> StrictModels.requireAll(
                        resource("kind: Deployment\nspec: {template: {spec: {containers: [{name: a}]}}}")))
                .hasMessageContaining("selector");
    }

    @Test
    void aMisspeltPropertyOfStrimziIsFound() {
        assertThatThrownBy(() -> StrictModels.parse(
                        Manifests.of("test", "apiVersion: kafka.strimzi.io/v1\nkind: KafkaTopic\nspec: {partition: 4}")
                                .get(0)))
                .hasMessageContaining("partition");
    }

    @Test
    void aMisspeltOrMissingPropertyOfKedaIsFound() {
        assertThat(SCALED_OBJECT.problems(Manifests.of(
                                "test",
                                """
                                apiVersion: keda.sh/v1alpha1
                                kind: ScaledObject
                                metadata: {name: a}
                                spec:
                                  scaleTargetRef: {kind: StatefulSet}
                                  triggers: [{type: kafka, metadata: {lagTreshold: "5"}}]
                                """)
                        .get(0)
                        .json()))
                .anyMatch(problem -> problem.contains("'name'"))
                .anyMatch(problem -> problem.contains("lagTreshold"))
                .anyMatch(problem -> problem.contains("'consumerGroup'"));
    }

    @Test
    void aKeyThatStandsTwiceIsRefused() {
        assertThatThrownBy(() -> Yaml.documents("a: 1\na: 2")).hasMessageContaining("duplicate key");
    }

    private static boolean isScaledObject(Resource resource) {
        return resource.type().equals("keda.sh/v1alpha1/ScaledObject");
    }

    private static Resource resource(String yaml) {
        return Manifests.of("test", "apiVersion: apps/v1\n" + yaml).get(0);
    }
}
