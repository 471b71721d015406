import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;

/**
 * What an ONNX encoder itself says: a line of ids in, lines of hidden states out, one per token.
 *
 * <p>{@code java -cp onnxruntime.jar bench/peers/OnnxVectors.java MODEL.onnx IDS.txt}; the jar is
 * com.microsoft.onnxruntime:onnxruntime:1.22.0 of Maven Central. {@code check_import.py} runs this.
 */
class OnnxVectors {
    public static void main(String[] arguments) throws Exception {
        try (OrtEnvironment environment = OrtEnvironment.getEnvironment();
                OrtSession session = environment.createSession(arguments[0])) {
            for (String line : Files.readAllLines(Path.of(arguments[1]))) {
                long[] ids = Arrays.stream(line.split(" ")).mapToLong(Long::parseLong).toArray();
                long[] ones = new long[ids.length];
                Arrays.fill(ones, 1);
                Map<String, OnnxTensor> inputs = Map.of(
                        "input_ids", OnnxTensor.createTensor(environment, new long[][] {ids}),
                        "attention_mask", OnnxTensor.createTensor(environment, new long[][] {ones}),
                        "token_type_ids", OnnxTensor.createTensor(environment, new long[1][ids.length]));
                try (OrtSession.Result result = session.run(inputs)) {
                    for (float[] token : ((float[][][]) result.get(0).getValue())[0]) {
                        System.out.println(Arrays.toString(token).replaceAll("[\\[\\],]", ""));
                    }
                }
                System.out.println();
            }
        }
    }
}
