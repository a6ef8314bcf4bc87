"""A process that trains on streamed images, to be killed: it prints the numbers of its readers and waits."""

import multiprocessing
import sys
import time
from pathlib import Path

import torch

from omnishot.config import ClassesObjective, DataSettings
from omnishot.data.class_index import ClassIndex
from omnishot.formats.hdf5 import open_hdf5
from omnishot.formats.images import read_labels
from omnishot.formats.streamed_pixels import StoredPixels
from omnishot.model.device import Compute
from omnishot.training.classes_objective import ClassesLoss
from omnishot.training.image_loading import StreamedImages

if __name__ == "__main__":
    images_file, method = Path(sys.argv[1]), sys.argv[2]
    with open_hdf5(images_file) as file:
        labels = read_labels(file)
    index = ClassIndex.of(labels, torch.arange(len(labels), dtype=torch.int32).numpy())
    objective = ClassesLoss(ClassesObjective(classes_per_batch=6, batches_per_epoch=3), index, seed=0)
    settings = DataSettings.model_validate({"readers": 2, "start_method": method})
    stream = StreamedImages(StoredPixels(images_file), objective, settings, Compute(torch.device("cpu"), bf16=False))
    stream.take(torch.empty(0), epoch=0, step=0)
    sys.stdout.write(" ".join(str(reader.pid) for reader in multiprocessing.active_children()) + "\n")
    sys.stdout.flush()
    time.sleep(600)
