"""Writes a Llama-shaped Hugging Face model as GGUF in bfloat16, with a made-up vocabulary, so that llama.cpp can be timed.

    python bench/peers/write_gguf.py MODEL_DIRECTORY FILE.gguf

Needs the package gguf (0.19.0). Token i + 3 is the character U+4E00 + i or, behind those, the word wi: the text means
nothing, and each character of a prompt is one token.
"""

import pathlib
import sys

import gguf
import numpy
import torch
from transformers import LlamaForCausalLM

CHARACTERS = 20_000


def interleaved(weight: torch.Tensor, heads: int) -> torch.Tensor:
    """Rows of queries and keys as llama.cpp rotates them: neighbours, where transformers pairs the halves of a head."""
    return weight.reshape(heads, 2, -1, weight.shape[1]).swapaxes(1, 2).reshape(weight.shape)


def write(directory: pathlib.Path, file: pathlib.Path) -> None:
    model = LlamaForCausalLM.from_pretrained(directory, dtype=torch.float32)
    config = model.config
    writer = gguf.GGUFWriter(str(file), "llama")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_BF16)

    tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{i:02X}>" for i in range(256)]
    kinds = [2, 3, 3] + [6] * 256
    for i in range(config.vocab_size - len(tokens)):
        tokens.append(chr(0x4E00 + i) if i < CHARACTERS else f"w{i}")
        kinds.append(1)
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([0.0] * len(tokens))
    writer.add_token_types(kinds)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_bos_token(False)
    writer.add_add_space_prefix(False)

    def matrix(name: str, weight: torch.Tensor) -> None:
        kind = gguf.GGMLQuantizationType.BF16
        writer.add_tensor(name, gguf.quants.quantize(weight.detach().numpy(), kind), raw_dtype=kind)

    def vector(name: str, weight: torch.Tensor) -> None:
        writer.add_tensor(name, weight.detach().numpy().astype(numpy.float32))

    matrix("token_embd.weight", model.model.embed_tokens.weight)
    for i, layer in enumerate(model.model.layers):
        vector(f"blk.{i}.attn_norm.weight", layer.input_layernorm.weight)
        matrix(f"blk.{i}.attn_q.weight", interleaved(layer.self_attn.q_proj.weight, config.num_attention_heads))
        matrix(f"blk.{i}.attn_k.weight", interleaved(layer.self_attn.k_proj.weight, config.num_key_value_heads))
        matrix(f"blk.{i}.attn_v.weight", layer.self_attn.v_proj.weight)
        matrix(f"blk.{i}.attn_output.weight", layer.self_attn.o_proj.weight)
        vector(f"blk.{i}.ffn_norm.weight", layer.post_attention_layernorm.weight)
        matrix(f"blk.{i}.ffn_gate.weight", layer.mlp.gate_proj.weight)
        matrix(f"blk.{i}.ffn_up.weight", layer.mlp.up_proj.weight)
        matrix(f"blk.{i}.ffn_down.weight", layer.mlp.down_proj.weight)
    vector("output_norm.weight", model.model.norm.weight)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    write(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
