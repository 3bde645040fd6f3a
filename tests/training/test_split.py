"""A model split among processes (FSDP 2, gloo): unequal work, equal gradients, one whole adapter.

``accelerate`` offers FSDP on GPUs only: its launch is not run here, what is ours is.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from types import SimpleNamespace

import pytest

from crossfoot.errors import RecipeError
from crossfoot.training.batches import even_out
from crossfoot.training.machine import check_split
from crossfoot.training.tree import Tree

PROGRAM = """
import os, torch, torch.distributed as dist
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict
from torch.distributed.fsdp import fully_shard
import tiny
from crossfoot.chat.template import Chat
from crossfoot.models.adapters import add_adapter, save_trained
from crossfoot.targets.rows import build_rows
from crossfoot.training.batches import even_out
from crossfoot.training.logprobs import prepare
from crossfoot.training.recipe import Adapter
from crossfoot.training.sft import tree_loss
from crossfoot.training.tree import grow

def model():
    torch.manual_seed(0)
    built = add_adapter(tiny.llama(), **Adapter(rank=4).model_dump())
    for parameter in built.parameters():
        if parameter.requires_grad:
            torch.nn.init.normal_(parameter, std=0.1)
    prepare(built, "tree")
    return built

dist.init_process_group("gloo")
rank = dist.get_rank()
rows = build_rows([tiny.sample()], Chat(tiny.tokenizer()), "short")
mine = [[[grow(rows[:1])], [grow(rows[1:3])], [grow(rows[3:4])]], [[grow(rows[4:])]]]
whole, split = model(), model()
sum(tree_loss(whole, batch, "tree") for part in mine for batch in part).backward()
for layer in split.get_base_model().model.layers:
    fully_shard(layer)
fully_shard(split)
batches = even_out(mine[rank], 3)
for number, batch in enumerate(batches):
    split.set_requires_gradient_sync(number + 1 == len(batches))
    (tree_loss(split, batch, "tree") * 2).backward()  # FSDP takes the mean of processes
other = dict(split.named_parameters())
for name, parameter in whole.named_parameters():
    if parameter.requires_grad:
        found = other[name].grad.full_tensor()
        assert torch.allclose(found, parameter.grad, rtol=1e-5, atol=1e-6), name
options = StateDictOptions(full_state_dict=True, cpu_offload=True)
state = get_model_state_dict(split, options=options)
if rank == 0:
    from pathlib import Path
    from safetensors.torch import load_file
    folder = Path(os.environ["FOLDER"])
    save_trained(split, tiny.tokenizer(), folder / "split", dtype=torch.float32, weights_of=state)
    save_trained(whole, tiny.tokenizer(), folder / "whole", dtype=torch.float32)
    one, two = (load_file(folder / n / "adapter_model.safetensors") for n in ("split", "whole"))
    assert one.keys() == two.keys() and len(one) > 4
    assert all(torch.equal(one[name], two[name]) for name in one)
dist.barrier()
dist.destroy_process_group()
"""


def test_a_split_model_has_the_gradients_of_a_whole_one_and_is_saved_whole(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    processes = []
    for rank in ("0", "1"):
        environment = os.environ | {
            "RANK": rank,
            "WORLD_SIZE": "2",
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": port,
            "OMP_NUM_THREADS": "1",
            "FOLDER": str(tmp_path),
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        }
        line = [sys.executable, "-c", PROGRAM]
        processes.append(subprocess.Popen(line, env=environment, stderr=subprocess.PIPE, text=True))
    said = [process.communicate(timeout=600)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said


def test_micro_batches_are_evened_out_by_idle_ones():
    tree = Tree((1, 2, 3), (-1, 0, 1), ((2,),))
    batches = even_out([[tree]], 3)
    assert [[one.completions for one in batch] for batch in batches] == [[()], [()], [((2,),)]]
    assert even_out([[tree]], 1) == [[tree]]


@pytest.mark.parametrize("name", ["ACCELERATE_USE_FSDP", "ACCELERATE_USE_DEEPSPEED"])
def test_a_model_of_several_passes_is_not_split(monkeypatch, name):
    arguments = SimpleNamespace(fsdp=None, deepspeed=None)
    check_split("fork", arguments, "qlora")
    monkeypatch.setenv(name, "true")
    check_split("tree", arguments, "lora")
    with pytest.raises(RecipeError, match="do not split 4-bit weights"):
        check_split("tree", arguments, "qlora")
    with pytest.raises(RecipeError, match="need a model whose page is one pass") as error:
        check_split("fork", arguments, "lora")
    assert "\n" not in str(error.value)
