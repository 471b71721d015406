package io.tidemill.deploy.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.tidemill.deploy.Program;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class KustomizationTest {
    @Test
    void everyFileOfTheBaseIsListed() throws IOException {
        try (Stream<Path> files = Files.list(Manifests.BASE)) {
            assertThat(kustomization(Manifests.BASE).resources())
                    .containsExactlyInAnyOrderElementsOf(
                            files.map(file -> file.getFileName().toString())
                                    .filter(name -> !name.equals("kustomization.yaml"))
                                    .toList());
        }
    }

    @Test
    void everyServicesImageHasTheVersionOfThisBuild() {
        List<Image> images = kustomization(Manifests.BASE).images();
        assertThat(images.stream().map(Image::name))
                .containsExactlyInAnyOrderElementsOf(Manifests.workloads().stream()
                        .map(workload ->
                                Manifests.container(workload).path("image").asText())
                        .toList());
        assertThat(Stream.concat(images.stream(), kustomization(Manifests.GPU).images().stream())
                        .map(Image::newTag))
                .containsOnly(System.getProperty("tidemill.version"));
    }

    @Test
    void theOverlayForGpusPatchesTheBase() {
        Kustomization gpu = kustomization(Manifests.GPU);
        assertThat(gpu.resources()).containsExactly("../base");
        assertThat(gpu.patches()).isNotEmpty().allSatisfy(patch -> assertThat(Manifests.GPU.resolve(patch.path()))
                .isRegularFile());
    }

    /** What kubectl would send, where kubectl is installed; it needs no cluster for this. */
    @ParameterizedTest
    @ValueSource(strings = {"base", "gpu"})
    void whatKubectlRendersIsUnderstoodAsWell(String folder) throws Exception {
        assumeThat(Program.isInstalled("kubectl")).as("kubectl is installed").isTrue();

        Program.Result rendered = Program.run("kubectl", "kustomize", folder);

        assertThat(rendered.status()).as(rendered.errors()).isZero();
        List<Resource> resources = Manifests.of(folder + " rendered", rendered.output());
        assertThat(resources).hasSameSizeAs(Manifests.base());
        assertThat(resources.stream().filter(StrictModels::knows))
                .allSatisfy(resource -> assertThatCode(() -> StrictModels.parse(resource))
                        .as(resource.toString())
                        .doesNotThrowAnyException());
        assertThat(resources.stream()
                        .filter(resource -> resource.kind().equals("StatefulSet"))
                        .collect(Collectors.toMap(
                                Resource::name, set -> Manifests.container(set).at("/resources/limits"))))
                .extractingByKey("trainer")
                .satisfies(limits ->
                        assertThat(limits.path("nvidia.com/gpu").asText()).isEqualTo(folder.equals("gpu") ? "1" : ""));
    }

    private static Kustomization kustomization(Path folder) {
        return StrictModels.parse(Yaml.document(folder.resolve("kustomization.yaml")), Kustomization.class);
    }

    /** The part of kustomize's file that we use; another property is an error. */
    record Kustomization(
            String apiVersion,
            String kind,
            String namespace,
            List<String> resources,
            List<Image> images,
            List<Patch> patches) {}

    record Image(String name, String newName, String newTag) {}

    record Patch(String path) {}
}
