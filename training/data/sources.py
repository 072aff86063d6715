"""The data sets that have a name: where they may lie or be downloaded from, and what they are made of."""

__all__ = ["CIFAR_CLASSES", "CLOTHES", "DIGITS", "SOURCES", "Source"]

from dataclasses import dataclass

CIFAR_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
DIGITS = tuple("0123456789")
CLOTHES = ("t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot")


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """Where a named data set may lie, where it can be downloaded, and what it is made of."""

    folders: tuple[str, ...]  # names below the user's folder and the cache
    archives: tuple[str, ...] = ()
    system: tuple[str, ...] = ()  # folders outside both
    mirrors: tuple[str, ...] = ()  # addresses, tried in order
    md5: dict[str, str]  # of the downloaded file by name; of IDX files, unpacked
    class_names: tuple[str, ...]


SOURCES = {
    "mnist": Source(
        folders=("mnist", "MNIST/raw"),
        system=("/usr/share/datasets/mnist",),
        mirrors=(
            "https://ossci-datasets.s3.amazonaws.com/mnist",
            "https://storage.googleapis.com/cvdf-datasets/mnist",
        ),
        md5={
            "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
            "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
            "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
            "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
        },
        class_names=DIGITS,
    ),
    "fashion-mnist": Source(
        folders=("fashion-mnist", "FashionMNIST/raw"),
        system=("/usr/share/datasets/fashion-mnist",),  # Debian package dataset-fashion-mnist
        mirrors=("https://fashion-mnist.s3-website.eu-central-1.amazonaws.com",),
        md5={
            "train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
            "train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
            "t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
            "t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
        },
        class_names=CLOTHES,
    ),
    "cifar10": Source(
        folders=("cifar10", "cifar-10", "cifar-10-batches-bin"),
        archives=("cifar-10-binary.tar.gz", "cifar10.tar.gz", "cifar10-jpeg.tar.gz"),
        mirrors=("https://www.cs.toronto.edu/~kriz",),
        md5={"cifar-10-binary.tar.gz": "c32a1d4ab5d03f1284b67883e8d87530"},
        class_names=CIFAR_CLASSES,
    ),
}
